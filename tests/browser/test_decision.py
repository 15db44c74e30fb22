"""The page of a decision: its script computes what Python computes, and it can be used."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page

from python_runner.analyse.decision import CRITERIA_KEYS, Decision, decide
from python_runner.report.decision.data import DecisionData, RunLine
from python_runner.report.decision.page import decision_page
from python_runner.report.units import TO
from python_runner.study import Team
from tests.unit.analyse.decision.builders import NO_CATALOGUE, frame, team

GB = 1e9
FRAME = frame(
    cpp={
        "ttft_ms": (100.0, 90.0, 120.0),
        "tpot_ms": 20.0,
        "e2e_ms": (1000.0, 950.0, 1100.0),
        "tokens_per_s": (20.0, 18.0, 21.0),
        "peak_memory_bytes": 3 * GB,
        "cold_start_s": 1.0,
        "dependencies": 12.0,
    },
    go_served={
        "ttft_ms": 150.0,
        "tpot_ms": 21.0,
        "e2e_ms": (1100.0, 1000.0, 1200.0),
        "tokens_per_s": 18.0,
        "peak_memory_bytes": 3.2 * GB,
        "cold_start_s": 5.0,
        "tgr_tokens_per_s@4": (30.0, 28.0, 33.0),
        "ttft_p95_ms@4": 700.0,
    },
    rust={
        "ttft_ms": 300.0,
        "e2e_ms": 3000.0,
        "tokens_per_s": (7.0, 6.5, 7.5),
        "peak_memory_bytes": 9 * GB,
    },
    python={"ttft_ms": 120.0, "e2e_ms": 900.0, "tokens_per_s": None, "cold_start_s": 12.0},
)
PEOPLE = [
    {"number": 3, "on_call": 1, "languages": {"Python": "expert", "Go": "writes"}},
    {"number": 2, "on_call": 1, "languages": {"C++": "writes"}},
]
TEAM = team(title="Which <b>stack</b>?", people=PEOPLE, serves={"users": 4})


def decided(asked: Team) -> Decision:
    return decide(asked, FRAME, NO_CATALOGUE)


def with_weights(weights: dict[str, float], price: float | None, budget: float | None) -> Decision:
    operations = TEAM.operations.model_copy(
        update={"price_per_hour": price, "budget_per_million": budget}
    )
    return decided(TEAM.model_copy(update={"weights": weights, "operations": operations}))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("decision")


@pytest.fixture
def open_page(browser: Browser, folder: Path) -> Iterator[Any]:
    contexts, errors, requests = [], [], []

    def said(text: ConsoleMessage) -> None:
        if text.type == "error":
            errors.append(text.text)

    def opened(decision: Decision, *, width: int = 1440, script: bool = True) -> Page:
        run = RunLine(run_id=1, conditions="Mocks.", warnings=("Random weights.",))
        file = folder / f"{len(list(folder.iterdir()))}.html"
        file.write_text(decision_page(DecisionData(decision=decision, runs=(run,))), "utf-8")
        context = browser.new_context(
            viewport={"width": width, "height": 900}, java_script_enabled=script
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", said)
        page.on("request", lambda asked: requests.append(asked.url))
        page.goto(file.as_uri())
        return page

    yield opened
    assert errors == []
    assert all(address.startswith("file:") for address in requests)
    for context in contexts:
        context.close()


def ranked(page: Page, weights: dict[str, float], price: float | None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.evaluate(
        """([weights, price]) => window.polystackDecision.rank(weights, price).map((row) => ({
            name: row.stack.name, low: row.low, point: row.point, high: row.high,
            best: row.best, worst: row.worst }))""",
        [weights, price],
    )
    return found


def expected(decision: Decision) -> list[dict[str, Any]]:
    return [
        {
            "name": one.stack.name,
            "low": pytest.approx(one.total.low, abs=1e-9),
            "point": pytest.approx(one.total.point, abs=1e-9),
            "high": pytest.approx(one.total.high, abs=1e-9),
            "best": one.rank.best,
            "worst": one.rank.worst,
        }
        for one in decision.ranked
    ]


@pytest.mark.parametrize("budget", [None, 40.0])
def test_the_script_computes_what_python_computes(open_page: Any, budget: float | None) -> None:
    page = open_page(with_weights({"people": 1.0}, 0.5, budget))
    dice = random.Random(20240)  # noqa: S311 - no secret
    for _ in range(40):
        weights = {key: dice.choice([0.0, dice.random() * 30]) for key in CRITERIA_KEYS}
        if not sum(weights.values()):
            continue
        price = dice.choice([None, dice.uniform(0.01, 9)])
        assert ranked(page, weights, price) == expected(with_weights(weights, price, budget))


def test_a_slider_moved_by_keys_changes_the_ranking(open_page: Any) -> None:
    page = open_page(with_weights({"memory": 10.0, "people": 1.0}, None, None))
    before = page.locator("#live-ranking li strong").all_text_contents()
    slider = page.locator("#weight-memory")
    slider.focus()
    slider.press("Home")
    assert page.locator("#number-memory").input_value() == "0"
    after = page.locator("#live-ranking li strong").all_text_contents()
    assert (before[0], after[0]) == ("Cpp", "Go_Served")
    page.locator("#weights-reset").click()
    assert page.locator("#live-ranking li strong").all_text_contents() == before


def test_a_number_moves_its_slider_and_no_weight_at_all_is_said(open_page: Any) -> None:
    page = open_page(with_weights({"people": 10.0}, None, None))
    page.locator("#number-people").fill("4")
    assert float(page.locator("#weight-people").input_value()) == 4
    page.locator("#number-people").fill("0")
    assert (
        page.locator("#live-answer").text_content() == "All weights are zero, so nothing decides."
    )
    assert page.locator("#live-ranking li").count() == 0


def test_the_price_makes_cost_known(open_page: Any) -> None:
    page = open_page(with_weights({"cost": 1.0}, None, None))
    first = page.locator("#live-ranking li").first
    assert "cost unknown" in (first.text_content() or "")
    page.locator("#price").fill("3.6")
    first = page.locator("#live-ranking li").first
    assert "Go_Served" in (first.text_content() or "")
    assert f"33.3 (30.3{TO}35.7) EUR a million tokens" in (first.text_content() or "")


@pytest.mark.parametrize("width", [1440, 390])
def test_nothing_is_wider_than_the_page_and_axe_finds_nothing(open_page: Any, width: int) -> None:
    page = open_page(decided(TEAM), width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = Axe().run(page)
    serious = [
        one for one in found.response["violations"] if one["impact"] in ("serious", "critical")
    ]
    assert serious == []


def test_what_a_team_calls_itself_is_no_markup(open_page: Any) -> None:
    page = open_page(decided(TEAM))
    assert page.locator("h1").inner_text() == "Which <b>stack</b>?"


def test_without_its_script_the_page_tells_the_ranking(open_page: Any) -> None:
    page = open_page(decided(TEAM), script=False)
    assert not page.locator("#weights").is_visible()
    assert page.locator("#ranking tbody tr").count() == 4


def test_where_nothing_is_left_the_page_says_so(open_page: Any) -> None:
    serves = TEAM.serves.model_copy(update={"e2e_ms": 1.0})
    page = open_page(decided(TEAM.model_copy(update={"serves": serves})))
    assert "Nearest to the targets" in page.locator(".answer").inner_text()
    assert page.locator("#weights").count() == 0
