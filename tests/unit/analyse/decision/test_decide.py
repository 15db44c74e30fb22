"""A decision as a whole: constraints, ranking, what is unknown, what would change it."""

import math

import pytest

from python_runner.analyse.decision import COLUMNS, CRITERIA, CRITERIA_KEYS, Decision, decide
from python_runner.common.errors import UsageError
from tests.unit.analyse.decision.builders import NO_CATALOGUE, Values, catalogue, frame, team

FAST = {"ttft_ms": 100.0, "e2e_ms": 1000.0, "tpot_ms": 50.0, "tokens_per_s": 20.0}
SLOW = {"ttft_ms": 200.0, "e2e_ms": 2000.0, "tpot_ms": 100.0, "tokens_per_s": 10.0}
ONLY_SPEED = {"e2e": 1.0}


def titles(decision: Decision) -> list[str]:
    return [one.stack.title for one in decision.ranked]


def test_the_faster_comes_first_where_only_speed_counts() -> None:
    found = decide(team(weights=ONLY_SPEED), frame(cpp=SLOW, rust=FAST), NO_CATALOGUE)
    assert titles(found) == ["Rust", "Cpp"]
    assert found.ranked[0].total.point == 1
    assert found.ranked[1].total.point == pytest.approx(1 - math.log10(2))
    assert [one.stack.title for one in found.tied] == ["Rust"]


def test_whom_the_team_knows_comes_first_where_only_people_count() -> None:
    found = decide(
        team(weights={"people": 1, "on_call": 1}), frame(cpp=FAST, python=SLOW), NO_CATALOGUE
    )
    assert titles(found) == ["Python", "Cpp"]
    assert found.ranked[0].parts["people"].figure.value == 1
    assert found.ranked[0].parts["on_call"].figure.value == 1
    assert found.ranked[1].parts["people"].utility.point == 0


def test_the_level_that_is_asked_for_decides_who_counts() -> None:
    people = [
        {"number": 3, "on_call": 2, "languages": {"Go": "reads"}},
        {"number": 1, "on_call": 0, "languages": {"Go": "expert"}},
    ]
    shares = {}
    for level in ("reads", "writes"):
        asked = team(people=people, operations={"level": level})
        parts = decide(asked, frame(go=FAST), NO_CATALOGUE).ranked[0].parts
        shares[level] = (parts["people"].figure.value, parts["on_call"].figure.value)
    assert shares == {"reads": (1.0, 1.0), "writes": (0.25, 0.0)}


def test_nobody_on_call_is_no_share_of_nobody() -> None:
    asked = team(people=[{"number": 1, "languages": {"Go": "expert"}}])
    found = decide(asked, frame(go=FAST), NO_CATALOGUE)
    assert not found.ranked[0].parts["on_call"].utility.is_known
    assert found.weights["on_call"] == 0


def test_what_is_not_known_widens_and_unties_nothing() -> None:
    known = decide(team(weights=ONLY_SPEED), frame(cpp=FAST, go=SLOW), NO_CATALOGUE)
    unknown = decide(
        team(weights={"e2e": 1, "recovery": 1}), frame(cpp=FAST, go=SLOW), NO_CATALOGUE
    )
    assert len(known.tied) == 1
    assert [one.rank.worst for one in unknown.ranked] == [2, 2]
    width = unknown.ranked[0].total.high - unknown.ranked[0].total.low
    assert width == pytest.approx(0.5)


def test_the_interval_of_a_measurement_widens_the_total() -> None:
    wide: dict[str, Values] = {**FAST, "e2e_ms": (1000.0, 800.0, 1300.0)}
    found = decide(team(weights=ONLY_SPEED), frame(cpp=wide, go=SLOW), NO_CATALOGUE)
    assert found.ranked[0].total.low == pytest.approx(1 - math.log10(1.3))


def test_a_stack_that_surely_misses_a_target_is_out() -> None:
    asked = team(serves={"e2e_ms": 1500}, weights=ONLY_SPEED)
    found = decide(asked, frame(cpp=FAST, go=SLOW), NO_CATALOGUE)
    assert titles(found) == ["Cpp"]
    assert found.excluded[0].breaches[0].what == "target"
    assert found.nearest is None


def test_one_that_may_miss_it_stays_and_says_so() -> None:
    wide: dict[str, Values] = {**SLOW, "e2e_ms": (2000.0, 1400.0, 2600.0)}
    found = decide(team(serves={"e2e_ms": 1500}), frame(go=wide), NO_CATALOGUE)
    assert titles(found) == ["Go"]
    assert "is open" in found.ranked[0].open_questions[0]


def test_where_none_meets_the_target_the_nearest_is_named() -> None:
    found = decide(team(serves={"e2e_ms": 500}), frame(go=SLOW, cpp=FAST), NO_CATALOGUE)
    assert found.ranked == ()
    assert found.nearest is not None
    assert (found.nearest.title, found.nearest.miss) == ("Cpp", 2)
    assert "1,000 ms, target 500 ms" in found.nearest.reason


def test_the_nearest_breaks_nothing_else_where_there_is_such_a_one() -> None:
    asked = team(serves={"e2e_ms": 500}, constraints={"must": "serve"})
    found = decide(asked, frame(cpp=FAST, go_served=SLOW), NO_CATALOGUE)
    assert found.nearest is not None
    assert found.nearest.title == "Go_Served"


def test_each_constraint_has_its_reason() -> None:
    asked = team(
        people=[{"number": 1, "languages": {"Go": "expert", "C++": "expert"}}],
        constraints={
            "must": "serve",
            "licences": ["MIT"],
            "languages": ["Go"],
            "memory_gb": 1,
        },
    )
    facts = catalogue(cpp={"licence": "GPL-3.0", "hardware": ("cuda",)})
    found = decide(asked, frame(cpp={**FAST, "peak_memory_bytes": 3e9}), facts)
    breaches = {one.what: one.reason for one in found.excluded[0].breaches}
    assert set(breaches) == {"path", "licence", "language", "memory", "hardware"}
    assert breaches["memory"] == "takes 3 GB, and may take 1 GB"
    assert "GPL-3.0" in breaches["licence"]


def test_what_nobody_knows_excludes_nothing() -> None:
    asked = team(
        constraints={"licences": ["MIT"], "memory_gb": 1}, serves={"ttft_ms": 100, "users": 4}
    )
    found = decide(asked, frame(cpp={"e2e_ms": 5.0}), NO_CATALOGUE)
    assert len(found.ranked[0].open_questions) == 4
    assert found.excluded == ()


def test_figures_of_a_cpu_say_nothing_of_a_gpu() -> None:
    found = decide(team(operations={"hardware": "gpu"}), frame(cpp=FAST), NO_CATALOGUE)
    assert not found.ranked[0].parts["e2e"].utility.is_known
    assert found.ranked[0].parts["people"].utility.is_known
    assert any("measured on a CPU" in note for note in found.notes)


def test_without_a_load_the_users_are_unknown_and_the_command_is_named() -> None:
    found = decide(team(serves={"users": 20}), frame(go_served=FAST), NO_CATALOGUE)
    assert not found.ranked[0].parts["users_ttft"].utility.is_known
    assert any("--engine go_served --users 20" in note for note in found.notes)


def test_cost_is_unknown_without_a_price_and_of_a_single_stream_without_a_load() -> None:
    without = decide(team(serves={"users": 2}), frame(go=FAST), NO_CATALOGUE).ranked[0]
    assert not without.parts["cost"].utility.is_known
    asked = team(serves={"users": 2}, operations={"price_per_hour": 3.6})
    figure = decide(asked, frame(go=FAST), NO_CATALOGUE).ranked[0].parts["cost"].figure
    assert figure.value == pytest.approx(3.6 / 3600 / 20 * 1e6)
    assert "single stream" in figure.note
    loaded = {**FAST, "tgr_tokens_per_s@2": 40.0}
    figure = decide(asked, frame(go=loaded), NO_CATALOGUE).ranked[0].parts["cost"].figure
    assert figure.value == pytest.approx(3.6 / 3600 / 40 * 1e6)
    assert figure.note == ""


def test_a_language_that_nobody_has_is_said() -> None:
    found = decide(team(), frame(cpp=FAST, python=SLOW), NO_CATALOGUE)
    assert any(note.startswith("Nobody in this team knows C++") for note in found.notes)
    asked = team(people=[{"languages": {"Java": "expert"}}])
    notes = decide(asked, frame(cpp=FAST), NO_CATALOGUE).notes
    assert any("decides nothing here" in note for note in notes)
    assert any("No stack is written in Java" in note for note in notes)


def test_the_second_is_told_how_fast_it_would_have_to_be() -> None:
    asked = team(weights={"people": 1, "e2e": 2})
    found = decide(asked, frame(python={"e2e_ms": 1100.0}, cpp={"e2e_ms": 1000.0}), NO_CATALOGUE)
    (turn,) = found.latency_turns
    assert (turn.stack, turn.value) == ("cpp", 1000)
    again = decide(
        asked, frame(python={"e2e_ms": 1100.0}, cpp={"e2e_ms": turn.needed}), NO_CATALOGUE
    )
    margin = again.ranked[0].total.point - again.ranked[1].total.point
    assert margin == pytest.approx(0, abs=1e-6)


def test_without_a_stack_it_says_what_to_run() -> None:
    with pytest.raises(UsageError) as caught:
        decide(team(), frame()[list(COLUMNS)], NO_CATALOGUE)
    assert "polystack compare" in caught.value.hint


def test_every_criterion_has_its_weight_its_figure_and_a_use() -> None:
    found = decide(team(), frame(cpp=FAST), NO_CATALOGUE)
    assert set(found.weights) == set(found.ranked[0].parts) == set(CRITERIA_KEYS)
    assert len(set(CRITERIA_KEYS)) == len(CRITERIA)
