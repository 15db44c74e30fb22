"""Every figure draws itself, tells its samples, and follows the switches."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.conftest import Shared
from tests.browser.pages import under_load, usual

FIGURES = (
    "baseline",
    "baseline-zoomed",
    "iterations",
    "iterations-zoomed",
    "distributions",
    "tokens",
    "stages",
)


def point_of(page: Page, key: str, group: str) -> tuple[int, int]:
    """Where a stack's first visible mark with a text is on the screen."""
    found = page.evaluate(
        """([key, group]) => {
            const place = document.getElementById(`plot-${key}`);
            place.scrollIntoView({block: "center", behavior: "instant"});
            const trace = place._fullData.find((one) => one.visible === true
                && one.legendgroup === group && Array.isArray(one.hovertext)
                && (one.mode || "").includes("markers"));
            const {_fullLayout: layout} = place;
            const axis = (id) => layout[`${id[0]}axis${id.slice(1)}`];
            const x = axis(trace.xaxis), y = axis(trace.yaxis);
            const box = place.getBoundingClientRect();
            return [box.left + x._offset + x.d2p(trace.x[0]),
                    box.top + y._offset + y.d2p(trace.y[0])];
        }""",
        [key, group],
    )
    return int(found[0]), int(found[1])


def hover(page: Page, key: str, group: str) -> str:
    x, y = point_of(page, key, group)
    page.mouse.move(x - 40, y - 40)
    page.mouse.move(x, y, steps=4)
    label = page.locator(f"#plot-{key} .hoverlayer .hovertext").first
    expect(label).to_be_visible()
    return label.text_content() or ""


def shown_groups(page: Page) -> dict[str, list[str]]:
    """For each figure, the stacks that are drawn."""
    found: dict[str, list[str]] = page.evaluate(
        """() => Object.fromEntries(
            Array.from(document.querySelectorAll("[data-figure]"), (place) => {
                const drawn = place._fullData.filter((one) => one.visible === true);
                const groups = drawn.map((one) => one.legendgroup).filter((one) => one);
                return [place.dataset.figure, Array.from(new Set(groups)).sort()];
            }))"""
    )
    return found


def test_every_figure_is_drawn(shared: Shared) -> None:
    page = shared("usual").page
    assert page.locator("html").get_attribute("data-figures") == "drawn"
    drawn = page.locator("[data-figure]").evaluate_all(
        "places => places.map((one) =>"
        " [one.dataset.figure, one.querySelectorAll('svg path').length])"
    )
    assert [key for key, _ in drawn] == list(FIGURES)
    assert all(paths > 10 for _, paths in drawn), drawn


def test_all_stacks_are_in_every_figure_that_is_not_zoomed(shared: Shared) -> None:
    groups = shown_groups(shared("usual").page)
    all_four = ["llama.cpp", "mistral.rs-wheel", "ollama", "transformers"]
    for key in FIGURES:
        expected = [one for one in all_four if "zoomed" not in key or one != "mistral.rs-wheel"]
        assert groups[key] == expected, key


def test_pointing_at_a_mark_tells_its_sample(shared: Shared) -> None:
    words = hover(shared("usual").page, "iterations", "llama.cpp")
    for part in ("llama.cpp 0.3.36", "C++ · embedded", "run 7", "iteration 1", "block 1", "timed"):
        assert part in words
    for part in ("E2E", "TTFT", "TPOT", "8 tokens", "probe before it"):
        assert part in words


def test_pointing_works_in_the_other_figures_too(shared: Shared) -> None:
    page = shared("usual").page
    assert "iteration 1" in hover(page, "baseline", "ollama")
    assert "ITL" in page.evaluate(
        "() => document.getElementById('plot-distributions')._fullData"
        ".flatMap((one) => one.hovertext || []).join(' ')"
    )
    assert "token 2" in hover(page, "tokens", "transformers")


def test_arrow_keys_go_from_sample_to_sample(shared: Shared) -> None:
    page = shared("usual").page
    page.locator("#plot-iterations").focus()
    page.keyboard.press("ArrowRight")
    spoken = page.locator("#spoken")
    expect(spoken).to_contain_text("iteration 1 ")
    page.keyboard.press("ArrowRight")
    expect(spoken).to_contain_text("iteration 2 ")
    expect(page.locator("#plot-iterations .hoverlayer .hovertext").first).to_be_visible()


def test_a_switch_moves_its_stack_in_all_figures(shared: Shared) -> None:
    page = shared("usual").page
    button = page.locator(".switches").get_by_role("button", name="Ollama")
    assert button.get_attribute("aria-pressed") == "true"
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#spoken")).to_contain_text("hidden from all figures")
    assert button.get_attribute("aria-pressed") == "false"
    groups = shown_groups(page)
    assert all("ollama" not in shown for shown in groups.values())
    assert all("llama.cpp" in shown for shown in groups.values())
    button.click()
    expect(page.locator("#spoken")).to_contain_text("shown in all figures")
    assert all("ollama" in shown for shown in shown_groups(page).values())


def test_plotlys_own_legend_hides_a_stack_in_its_figure(shared: Shared) -> None:
    page = shared("usual").page
    entry = page.locator("#plot-iterations .legend .traces", has_text="transformers")
    entry.locator(".legendtoggle").click()
    page.wait_for_function(
        "() => !document.getElementById('plot-iterations')._fullData.some((one) =>"
        " one.legendgroup === 'transformers' && one.visible === true)"
    )
    assert "transformers" in shown_groups(page)["baseline"]
    entry.locator(".legendtoggle").click()
    page.wait_for_function(
        "() => document.getElementById('plot-iterations')._fullData.every((one) =>"
        " one.visible === true)"
    )


def test_zoom_by_buttons_and_back(shared: Shared) -> None:
    page = shared("usual").page
    span = "() => document.getElementById('plot-iterations')._fullLayout.yaxis.range"
    before = page.evaluate(span)
    tools = page.get_by_role("group", name="Zoom: Latency of every iteration", exact=True)
    tools.get_by_role("button", name="Zoom in").click()
    page.wait_for_function(f"before => ({span})()[1] < before[1]", arg=before)
    tools.get_by_role("button", name="Show all").click()
    page.wait_for_function(f"before => Math.abs(({span})()[1] - before[1]) < 1e-6", arg=before)


def test_a_zoom_stays_when_the_page_turns_dark(shared: Shared) -> None:
    page = shared("usual").page
    tools = page.get_by_role("group", name="Zoom: Latency of every iteration", exact=True)
    tools.get_by_role("button", name="Zoom in").click()
    span = "() => document.getElementById('plot-iterations')._fullLayout.yaxis.range.join()"
    zoomed = page.evaluate(span)
    assert shared("usual", theme="dark").page.evaluate(span) == zoomed
    tools.get_by_role("button", name="Show all").click()


def test_a_load_draws_its_figure(shared: Shared) -> None:
    visit = shared("load")
    assert visit.page.locator("html").get_attribute("data-figures") == "drawn"
    assert "run 8 · 1 user" in hover(visit.page, "users", "ollama")
    assert not visit.errors


def test_documents_under_test_hold_what_they_are_meant_to() -> None:
    keys = [getattr(block, "key", "") for block in usual().sections[0].blocks]
    assert keys == list(FIGURES)
    assert [getattr(block, "key", "") for block in under_load().sections[0].blocks] == ["users"]
