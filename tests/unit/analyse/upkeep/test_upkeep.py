"""The table of upkeep: every figure has its row, its source, or the reason why it is not known."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from python_runner.analyse.upkeep import COLUMNS, figure_base, upkeep, users_of
from python_runner.engines.upkeep.fact import UNITS, Fact
from python_runner.measure.recovery import Recovery
from python_runner.store import Frames, RecoveryRecorder, RunRecorder, Store, read_frames
from tests.cells import cell
from tests.unit.builders import condition, generation, sample, settings, spec, study
from tests.unit.load_builders import FakeRequest, closed, load_frames, opened, steady

S = 1_000_000_000
NAN = math.nan


def facts(stack: str = "mock", **values: float) -> tuple[Fact, ...]:
    return tuple(
        Fact(
            stack=stack,
            title="Mock",
            language="none",
            reach="embedded",
            figure=figure,
            value=values.get(figure, NAN),
            why_unknown="" if figure in values else "nobody looked",
        )
        for figure in UNITS
    )


def row_of(frames: Frames, figure: str, stack: str = "mock") -> Mapping[Any, Any]:
    table = upkeep(frames, facts(stack))
    (row,) = table[table["figure"] == figure].to_dict(orient="records")
    return row


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "polystack.sqlite")


def compared(store: Store, *loads: float, model: str = "", joules: float | None = None) -> int:
    """A comparison with a visit for each load."""
    given_condition = condition()
    if model:
        changed = replace(given_condition.settings.model, name=model, label=model)
        given_condition = replace(
            given_condition, settings=replace(given_condition.settings, model=changed)
        )
    with RunRecorder(store, study(), {}) as recorder:
        for number, seconds in enumerate(loads, start=1):
            recorder.begin(replace(given_condition, load_seconds=seconds))
            used = {} if joules is None else {"energy_j": joules}
            recorder.record(replace(sample(number, generation()), resources=used))
            recorder.finish(peak_memory_bytes=1000 * number, error="")
    return recorder.run_id


def crashed(store: Store, *seconds: float | None, model: str = "") -> int:
    changed = settings()
    if model:
        changed = replace(changed, model=replace(changed.model, name=model, label=model))
    recorder = RecoveryRecorder(store, changed, {})
    for attempt, lasted in enumerate(seconds, start=1):
        if lasted is None:
            recorder.record(spec(), "1.0", Recovery(attempt=attempt, killed_ns=0, error="gone"))
        else:
            end = round(lasted * S)
            recorder.record(
                spec(), "1.0", Recovery(attempt=attempt, killed_ns=0, first_token_ns=end)
            )
    return recorder.run_id


def test_without_runs_every_figure_has_a_row_and_a_reason(store: Store) -> None:
    table = upkeep(read_frames(store), facts(own_lines=12.0))
    assert tuple(table.columns) == COLUMNS
    assert set(table["figure"]) == {
        *UNITS,
        *("cold_start_s", "recovery_s", "peak_memory_bytes", "energy_j_per_token"),
        "throughput_users",
    }
    unknown = table[table["value"].isna()]
    assert len(unknown) == len(table) - 1
    assert (unknown["why_unknown"] != "").all()
    assert (table["unit"] != "").all()


def test_the_cold_start_is_the_median_of_the_loads(store: Store) -> None:
    run_id = compared(store, 3.0, 1.0, 2.0)
    row = row_of(read_frames(store), "cold_start_s")
    assert (row["value"], row["low"], row["high"]) == (2.0, 1.0, 3.0)
    assert row["run_id"] == run_id
    assert f"run {run_id}: 3 loads" in row["source"]
    assert "random weights" in row["source"]


def test_one_load_has_no_range(store: Store) -> None:
    compared(store, 3.0)
    row = row_of(read_frames(store), "cold_start_s")
    assert row["value"] == 3.0
    assert math.isnan(row["low"])
    assert math.isnan(row["high"])


def test_the_last_run_counts(store: Store) -> None:
    compared(store, 9.0)
    last = compared(store, 1.0, 1.0)
    row = row_of(read_frames(store), "peak_memory_bytes")
    assert (row["value"], row["run_id"]) == (2000.0, last)


def test_runs_of_another_model_do_not_count(store: Store) -> None:
    compared(store, 9.0, model="large")
    compared(store, 1.0, model="small")
    frames = read_frames(store)
    assert row_of(frames, "cold_start_s")["value"] == 1.0
    table = upkeep(frames, facts(), model="large")
    assert table.set_index("figure").loc["cold_start_s", "value"] == 9.0
    absent = upkeep(frames, facts(), model="other").set_index("figure")
    assert math.isnan(cell(absent, "cold_start_s", "value"))
    assert "no run of this model" in cell(absent, "cold_start_s", "why_unknown")


def test_energy_is_a_token_s(store: Store) -> None:
    compared(store, 1.0, joules=8.0)
    assert row_of(read_frames(store), "energy_j_per_token")["value"] == 2.0  # of 4 tokens


def test_energy_that_nobody_could_read_is_not_zero(store: Store) -> None:
    compared(store, 1.0)
    row = row_of(read_frames(store), "energy_j_per_token")
    assert math.isnan(row["value"])
    assert "no counter" in row["why_unknown"]


def test_the_recovery_is_the_median_of_the_last_test(store: Store) -> None:
    compared(store, 1.0)
    crashed(store, 100.0)
    run_id = crashed(store, 4.0, 2.0, 3.0)
    row = row_of(read_frames(store), "recovery_s")
    assert (row["value"], row["low"], row["high"], row["run_id"]) == (3.0, 2.0, 4.0, run_id)
    assert "killed 3 times" in row["source"]


def test_a_crash_that_was_final_is_told_beside_those_that_were_not(store: Store) -> None:
    compared(store, 1.0)
    crashed(store, 4.0, None)
    row = row_of(read_frames(store), "recovery_s")
    assert row["value"] == 4.0
    assert "1 did not come back" in row["source"]


def test_a_stack_that_never_came_back_has_no_time(store: Store) -> None:
    compared(store, 1.0)
    run_id = crashed(store, None)
    row = row_of(read_frames(store), "recovery_s")
    assert math.isnan(row["value"])
    assert (row["why_unknown"], row["run_id"]) == ("gone", run_id)


def test_a_recovery_on_another_model_says_so(store: Store) -> None:
    compared(store, 1.0, model="large")
    crashed(store, 4.0, model="tiny")
    row = row_of(read_frames(store), "recovery_s")
    assert row["value"] == 4.0
    assert "tiny, and not large" in row["source"]
    crashed(store, 40.0, model="large")
    crashed(store, 5.0, model="tiny")
    assert row_of(read_frames(store), "recovery_s")["value"] == 40.0


def of_load(*levels: tuple[Any, Sequence[FakeRequest]]) -> pd.DataFrame:
    return upkeep(load_frames(*levels), facts()).set_index("figure")


def test_each_level_of_users_has_its_figures() -> None:
    table = of_load(
        (closed(4, warmup=4), steady(4, 40, ttft=50, gap=10, tokens=5)),
        (closed(8, warmup=8), steady(8, 40, ttft=90, gap=10, tokens=5)),
    )
    # Four users, each 5 tokens in 90 ms.
    assert table.loc["tgr_tokens_per_s@4", "value"] == pytest.approx(4 * 5 / 0.09)
    assert table.loc["ttft_p95_ms@4", "value"] == 50
    assert table.loc["ttft_p95_ms@8", "value"] == 90
    assert cell(table, "ttft_p95_ms@8", "low") == cell(table, "ttft_p95_ms@8", "high") == 90
    assert table.loc["tgr_tokens_per_s@8", "unit"] == "tokens/s"
    assert "throughput_users" not in table.index


def test_too_few_requests_leave_the_p95_open() -> None:
    requests = steady(4, 8, ttft=50, gap=10, tokens=5)
    slow = requests[14]
    requests[14] = replace(slow, chunks=[at + 20 for at in slow.chunks])
    row = of_load((closed(4, warmup=0), requests)).loc["ttft_p95_ms@4"]
    assert (row["low"], row["high"]) == (50, 70)
    assert "too few for a p95 (59)" in row["source"]


def test_request_rates_are_no_users() -> None:
    table = of_load((opened(), [FakeRequest(sent=100.0 * number) for number in range(20)]))
    assert math.isnan(cell(table, "throughput_users", "value"))
    assert "load of users" in cell(table, "throughput_users", "why_unknown")


def test_a_level_without_answers_is_unknown_and_keeps_its_row() -> None:
    failed = [
        FakeRequest(user=user, sent=10.0, chunks=(), error_kind="connect", error="refused")
        for user in range(2)
    ]
    table = of_load((closed(2), failed))
    for figure in ("ttft_p95_ms@2", "tgr_tokens_per_s@2"):
        assert math.isnan(cell(table, figure, "value"))
        assert table.loc[figure, "why_unknown"] == "no request has an answer"


@given(st.integers(1, 10**6), st.sampled_from(["tgr_tokens_per_s", "ttft_p95_ms"]))
def test_the_name_of_a_level_s_figure_can_be_taken_apart(users: int, base: str) -> None:
    name = f"{base}@{users}"
    assert (figure_base(name), users_of(name)) == (base, users)
    assert (figure_base(base), users_of(base)) == (base, None)


def test_stacks_keep_their_order(store: Store) -> None:
    table = upkeep(read_frames(store), [*facts("b"), *facts("a")])
    assert list(dict.fromkeys(table["stack"])) == ["b", "a"]
