"""The page: themes, tables, keyboard, phone, paper, safety, and nothing from the network."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import FITS, Open, Shared
from tests.browser.pages import HOSTILE, NASTY

MOST_BYTES = 6_000_000
PHONE = 390
GRAVE = {"serious", "critical"}
OPEN = """isOpen => document.querySelectorAll("main details").forEach((one) => {
    one.open = isOpen;
})"""


def background(page: Page) -> str:
    found: str = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    return found


def paper_of(page: Page, key: str) -> str:
    found: str = page.evaluate(
        "key => document.getElementById(`plot-${key}`)._fullLayout.paper_bgcolor", key
    )
    return found


def test_nothing_is_logged_and_nothing_leaves_the_page(shared: Shared) -> None:
    for name in ("usual", "load", "hostile"):
        shared(name, theme="dark")
        visit = shared(name, width=PHONE)
        visit.page.mouse.wheel(0, 4000)
        assert visit.errors == [], name
        assert visit.requests == [], name


def test_the_page_is_one_file_of_a_fair_size(files: dict[str, Path]) -> None:
    for path in files.values():
        assert 500_000 < path.stat().st_size < MOST_BYTES
        text = path.read_text(encoding="utf-8")
        assert 'src="http' not in text
        assert "<link" not in text


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_systems_theme_is_followed(shared: Shared, theme: str) -> None:
    page = shared("usual", theme=theme).page
    is_dark = theme == "dark"
    assert (background(page) != "rgb(255, 255, 255)") is is_dark
    assert (paper_of(page, "baseline") != "#FFFFFF") is is_dark


def test_the_switch_turns_page_and_figures_dark_and_is_remembered(fresh: Open) -> None:
    page = fresh("load").drawn().page
    button = page.locator("#theme")
    assert button.get_attribute("aria-pressed") == "false"
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    assert background(page) != "rgb(255, 255, 255)"
    page.wait_for_function(
        "() => Array.from(document.querySelectorAll('[data-figure]')).every("
        "(one) => one._fullLayout.paper_bgcolor !== '#FFFFFF')"
    )
    page.reload()
    page.wait_for_selector("html[data-figures]", state="attached")
    assert background(page) != "rgb(255, 255, 255)"


def test_the_switch_works_where_nothing_can_be_kept(fresh: Open) -> None:
    visit = fresh("load")
    visit.page.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw new Error('denied'); }})"
    )
    visit.page.reload()
    visit.drawn()
    visit.page.locator("#theme").click()
    assert background(visit.page) != "rgb(255, 255, 255)"
    assert visit.errors == []


def column(page: Page, number: int) -> list[str]:
    found: list[str] = page.locator("#fairness table tbody tr").evaluate_all(
        "(rows, number) => rows.map((row) => row.cells[number].textContent.trim())", number
    )
    return found


def test_tables_are_sorted_by_value_and_by_name(shared: Shared) -> None:
    page = shared("usual").page
    heading = page.locator("#fairness thead th", has_text="Load (s)")
    heading.get_by_role("button").focus()
    page.keyboard.press("Enter")
    assert heading.get_attribute("aria-sort") == "ascending"
    assert column(page, 5) == ["3.25", "12.5", "101"]
    heading.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") == "descending"
    assert column(page, 5) == ["101", "12.5", "3.25"]
    page.locator("#fairness thead th", has_text="Criterion").get_by_role("button").click()
    assert column(page, 0) == ["CPU flags", "Threads", "Weights"]
    assert heading.get_attribute("aria-sort") is None


def test_every_figure_has_its_numbers(shared: Shared) -> None:
    page = shared("usual").page
    for key in ("baseline", "iterations", "distributions", "tokens", "stages"):
        numbers = page.locator(f"#figure-{key} details.numbers")
        numbers.locator("summary").first.click()
        assert numbers.locator("tbody tr").count() >= 4, key
        numbers.locator("summary").first.click()


def test_a_phone_scrolls_boxes_and_not_the_page(shared: Shared) -> None:
    for name in ("usual", "load", "hostile"):
        page = shared(name, width=PHONE, height=844).page
        page.evaluate(OPEN, True)  # noqa: FBT003
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE, name
        wide = page.locator("figure, .plot, .table-box, p, li, h1, h2, h3").evaluate_all(
            "all => all.filter((one) => one.getBoundingClientRect().right > innerWidth + 1"
            " && !one.closest('.table-box > *, .contents > ol > *'))"
            ".map((one) => one.outerHTML.slice(0, 200))"
        )
        assert wide == [], name
        # The one of the numbers of the first figure is wider than any phone.
        assert page.locator(".table-box").first.get_attribute("tabindex") == "0"
        page.evaluate(OPEN, False)  # noqa: FBT003


def violations(page: Page) -> list[str]:
    page.evaluate(OPEN, True)  # noqa: FBT003
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    page.evaluate(OPEN, False)  # noqa: FBT003
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:300]} {json.dumps(one['nodes'][0]['any'])[:400]}"
        for one in found
        if one["impact"] in GRAVE
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, PHONE])
def test_axe_finds_nothing_grave(shared: Shared, theme: str, width: int) -> None:
    assert violations(shared("usual", width=width, theme=theme).page) == []


def test_headings_landmarks_and_skip_link(shared: Shared) -> None:
    page = shared("usual").page
    ranks = page.locator("h1, h2, h3, h4").evaluate_all(
        "all => all.map((one) => Number(one.tagName[1]))"
    )
    assert ranks[0] == 1
    assert ranks.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(ranks))
    for role in ("banner", "navigation", "main", "contentinfo"):
        assert page.get_by_role(role).count() == 1, role
    assert page.get_by_role("figure").count() == 7
    page.evaluate("document.activeElement.blur()")
    page.evaluate("window.scrollTo(0, 0)")
    skip = page.locator(".skip")
    skip.focus()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_less_motion_is_respected(shared: Shared) -> None:
    page = shared("usual").page
    motion = "getComputedStyle(document.documentElement).scrollBehavior"
    assert page.evaluate(motion) == "smooth"
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(motion) == "auto"
    page.emulate_media(reduced_motion="no-preference")


def test_without_scripts_text_and_tables_are_there(fresh: Open) -> None:
    page = fresh("usual", scripts=False).page
    expect(page.get_by_text("transformers is fastest").first).to_be_visible()
    expect(page.get_by_text("The picture needs JavaScript").first).to_be_visible()
    page.locator("#figure-baseline details.numbers > summary").click()
    expect(page.locator("#figure-baseline tbody tr").first).to_be_visible()
    expect(page.locator("#theme")).to_be_hidden()


def test_it_prints(shared: Shared, tmp_path: Path) -> None:
    page = shared("usual", theme="dark").page
    pdf = page.pdf(path=tmp_path / "page.pdf", prefer_css_page_size=True)
    assert pdf.startswith(b"%PDF")
    assert len(pdf) > 50_000


def test_on_paper_figures_are_light_and_fit(shared: Shared) -> None:
    page = shared("usual", theme="dark").page
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.wait_for_function(
        "() => Array.from(document.querySelectorAll('[data-figure]')).every((one) =>"
        " one._fullLayout.paper_bgcolor === '#FFFFFF' && one._fullLayout.width < 720)"
    )
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    page.wait_for_function(FITS, arg=True)


def test_what_was_measured_never_becomes_markup(shared: Shared) -> None:
    visit = shared("hostile")
    page = visit.page
    assert page.locator("h1").text_content() == HOSTILE
    assert page.locator("#said pre").text_content() == NASTY
    assert page.locator("#said td a").count() == 0
    assert page.locator("#said b").count() == 0
    legend = page.locator("#plot-iterations .legend").text_content() or ""
    assert HOSTILE in legend
    names = page.locator(".switches .stack-name").all_text_contents()
    assert HOSTILE in names
    # A dialog would be waiting for an answer, and an error would be in the log.
    assert page.evaluate("window.alerted") is None
    assert visit.errors == []


def test_the_policy_forbids_the_network(fresh: Open) -> None:
    visit = fresh("load")
    refused = visit.page.evaluate(
        "() => fetch('https://example.org/').then(() => 'loaded', () => 'refused')"
    )
    assert refused == "refused"
    assert visit.requests == []
    assert any("Content Security Policy" in text for text in visit.errors)
