"""The table of a published study: ours beside the original's, and what may be compared."""

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from python_runner.analyse.published import PartRun, PublishedTable, Row, published_table
from python_runner.analyse.published.make import not_comparable
from python_runner.study import Published, load_published
from tests.golden.loads import LLAMA, OLLAMA, FakeServer, build_load
from tests.unit.load_builders import closed

MARK: dict[str, Any] = {"name": "users", "scale": "tiny", "series": "s"}


def part(*servers: FakeServer, users: tuple[int, ...] = (1, 10), **mark: Any) -> PartRun:
    levels = [closed(count, requests=40, duration_s=None) for count in users]
    return PartRun(build_load(servers, levels, published={**MARK, **mark}))


def users_table(*runs: PartRun) -> PublishedTable:
    return published_table(runs, load_published("users"))


def ours(table: PublishedTable) -> list[Row]:
    return [row for row in table.rows if row.is_ours]


def test_a_row_for_each_level_in_the_columns_of_the_original() -> None:
    table = users_table(part(LLAMA, OLLAMA))
    assert [one.title for one in table.columns][:4] == ["Backend", "Users", "TTFT", "TGR"]
    measured = [row for row in ours(table) if "tgr" in row.values]
    assert [(row.values["stack"], row.values["users"]) for row in measured] == [
        ("llama-server", 1),
        ("llama-server", 10),
        ("Ollama", 1),
        ("Ollama", 10),
    ]
    assert all(float(row.values["ttft_ms"]) > 0 for row in measured)


def test_the_originals_rows_are_marked_with_the_reason() -> None:
    theirs = [row for row in users_table(part(LLAMA)).rows if not row.is_ours]
    assert theirs
    for row in theirs:
        assert "their A100 80GB, our 2-core CPU" in row.not_comparable
        assert "their Llama-3-8B, our gemma-2-tiny" in row.not_comparable


def test_platforms_that_were_not_tried_have_a_row_that_says_why() -> None:
    table = users_table(part(LLAMA, left_out={"vllm-cpu": "this version has no such engine"}))
    lacks = {str(row.values["stack"]): row.lack for row in ours(table) if row.lack}
    assert lacks["vLLM"] == "this version has no such engine"
    assert lacks["TGI"].startswith("not tried")


def test_a_stack_that_is_the_originals_stands_before_its_row() -> None:
    vllm = replace(LLAMA, name="vllm-cpu", title="vLLM on CPU")
    table = users_table(part(vllm, replace(OLLAMA, name="lmdeploy-turbomind", title="LMDeploy")))
    names = [str(row.values["stack"]) for row in table.rows]
    assert names[:2] == ["vLLM on CPU"] * 2
    assert names[2:5] == ["LMDeploy", "LMDeploy", "LMDeploy"]
    assert [row.is_ours for row in table.rows[2:5]] == [True, True, False]


def test_a_stack_without_a_level_keeps_its_reason() -> None:
    reason = "out of memory: Ollama ended by itself (signal SIGKILL)"
    table = users_table(part(LLAMA, replace(OLLAMA, error=reason)))
    (row,) = [row for row in ours(table) if row.values["stack"] == "Ollama"]
    assert row.lack == reason
    assert "tgr" not in row.values


def test_missing_runs_of_a_series_are_told() -> None:
    table = users_table(part(LLAMA, parts=3, part=2))
    assert any("2 of 3 runs are missing" in note for note in table.notes)


def test_what_batches_is_told_below() -> None:
    table = users_table(part(LLAMA))
    assert any(note.startswith("llama-server") for note in table.notes)


@pytest.mark.parametrize(
    ("device", "gpus", "model", "synthetic", "said"),
    [
        ("cuda", ["NVIDIA A100-SXM4-80GB"], "llama-3-8b-instruct", False, ""),
        ("cuda", ["NVIDIA A100-SXM4-40GB"], "llama-3-8b-instruct", False, "their A100 80GB"),
        ("cuda", ["NVIDIA A100-SXM4-80GB"], "llama-3.1-8b", False, "their Llama-3-8B"),
        ("cuda", ["NVIDIA A100-SXM4-80GB"], "llama-3-8b", True, "random weights"),
        ("cpu", ["NVIDIA A100-SXM4-80GB"], "llama-3-8b", False, "our 2-core CPU"),
    ],
)
def test_the_same_machine_and_model_may_be_compared(
    device: str,
    gpus: list[str],
    model: str,
    synthetic: bool,
    said: str,
) -> None:
    run = part(LLAMA)
    frames = run.frames
    host = {**frames.runs["host"].iloc[0], "gpus": gpus}
    changed = PartRun(
        replace(
            frames,
            runs=frames.runs.assign(host=pd.Series([host], index=frames.runs.index)),
            conditions=frames.conditions.assign(device=device, model=model, is_synthetic=synthetic),
        )
    )
    original = load_published("users").original
    row: dict[str, str | int] = {
        "stack": "LMDeploy",
        "model": "Llama-3-8B",
        "users": 100,
        "tgr": 4000,
    }
    found = not_comparable(row, original, [changed])
    assert said in found
    assert bool(found) == bool(said)


def long_table(run: PartRun) -> PublishedTable:
    return published_table([run], load_published("long-sequences"))


def test_long_sequences_count_all_tokens_over_all_the_time() -> None:
    run = part(LLAMA, users=(1, 4), name="long-sequences")
    rows = [row for row in ours(long_table(run)) if "concurrent" in row.values]
    assert [row.values["concurrent"] for row in rows] == [1, 4]
    one, four = (float(row.values["total_tokens_per_s"]) for row in rows)
    assert four > 3 * one
    assert all(row.lack == "" for row in rows)
    requests = run.frames.load_requests
    first = requests[requests["level_id"] == requests["level_id"].min()]
    seconds = (first["ended_ns"].max() - first["scheduled_ns"].min()) / 1e9
    assert one == pytest.approx(first["output_tokens"].sum() / seconds)


def test_tokens_that_nobody_counted_are_not_known() -> None:
    run = part(LLAMA, users=(1,), name="long-sequences")
    frames = run.frames
    uncounted = PartRun(
        replace(frames, load_requests=frames.load_requests.assign(output_tokens=-1))
    )
    row = next(row for row in ours(long_table(uncounted)) if "concurrent" in row.values)
    assert "total_tokens_per_s" not in row.values


def test_each_shape_has_its_rows() -> None:
    from python_runner.analyse.published.make import SHAPES

    shapes = Published.model_fields["table"].annotation.__args__  # type: ignore[union-attr]
    assert set(SHAPES) <= set(shapes)
