"""Two runs: what changed, what may be said, and what is not judged."""

from typing import Any

import pandas as pd
import pytest

from python_runner.analyse.compare import RunChange, change_between, really_slower
from tests.golden.frames import FOUR, LLAMA_CPP, OLLAMA, FakeStack, Frames, build_frames, rename


def both(before: Frames, after: Frames) -> Frames:
    """Two runs in one store: 7 and 8."""
    moved = after._replace(
        conditions=after.conditions.assign(
            condition_id=after.conditions["condition_id"] + 100, run_id=8
        ),
        samples=after.samples.assign(condition_id=after.samples["condition_id"] + 100, run_id=8),
        runs=after.runs.assign(run_id=8),
    )
    return Frames(
        *(
            pd.concat([one, other], ignore_index=True)
            for one, other in zip(before, moved, strict=True)
        )
    )


def change(before: Frames, after: Frames) -> RunChange:
    return change_between(*both(before, after), 7, 8)


def run(*stacks: FakeStack, host: dict[str, Any] | None = None, **changes: Any) -> Frames:
    frames = build_frames(stacks or FOUR, **changes)
    if host:
        changed = [{**each, **host} for each in frames.runs["host"]]
        frames.runs["host"] = pd.Series(changed, dtype=object)
    return frames


def rows(found: RunChange) -> list[tuple[str, ...]]:
    return [tuple(row) for row in found.conditions.itertuples(index=False)]


def test_the_same_run_twice_changed_nothing() -> None:
    found = change(run(), run())
    assert found.conditions.empty
    assert not found.not_judged
    assert set(found.speed["verdict"]) == {"no difference"}
    assert really_slower(found, 0.05).empty


def test_a_slower_stack_is_found_and_the_others_are_not() -> None:
    slower = [rename(OLLAMA, e2e_s=OLLAMA.e2e_s * 1.3) if s is OLLAMA else s for s in FOUR]
    found = change(run(), run(*slower))
    verdicts = dict(zip(found.speed["stack_left"], found.speed["verdict"], strict=True))
    assert verdicts.pop("ollama") == "slower"
    assert set(verdicts.values()) == {"no difference"}
    assert list(really_slower(found, 0.05)["stack_left"]) == ["ollama"]
    assert really_slower(found, 0.5).empty


def test_less_than_the_floor_between_two_runs_is_no_finding() -> None:
    found = change(run(LLAMA_CPP), run(rename(LLAMA_CPP, e2e_s=LLAMA_CPP.e2e_s * 1.08)))
    assert found.speed["noise_floor"].iloc[0] == pytest.approx(0.1)
    assert really_slower(found, 0.05).empty


@pytest.mark.parametrize("blocks", [1, 2, 3, 10])
def test_all_samples_count_however_the_blocks_lie(blocks: int) -> None:
    after = run()
    places = (after.samples["iteration"] - 1) * blocks // 10
    found = change(run(), after._replace(samples=after.samples.assign(block=places + 2)))
    assert set(found.speed["reason"]) != {"too few samples"}
    assert set(found.speed["blocks"]) == {min(5, blocks)}


def test_versions_flags_and_settings_are_told() -> None:
    newer = rename(LLAMA_CPP, version="0.4.0", build={**LLAMA_CPP.build, "flags": "-O2"})
    found = rows(change(run(LLAMA_CPP, OLLAMA), run(newer, OLLAMA)))
    assert ("version", "llama.cpp", "0.3.36", "0.4.0") in found
    assert ("build, flags", "llama.cpp", "-O3 -mavx512f", "-O2") in found
    assert len(found) == 2


def test_what_changed_for_all_is_told_once() -> None:
    after = run()
    after.conditions["threads"] = 1
    assert rows(change(run(), after)) == [("threads", "", "2", "1")]


def test_a_stack_that_only_one_run_has_is_told() -> None:
    found = change(run(LLAMA_CPP, OLLAMA), run(LLAMA_CPP))
    assert rows(found) == [("stack", "Ollama", "run", "")]
    assert list(found.speed["stack_left"]) == ["llama.cpp"]


@pytest.mark.parametrize(
    "host", [{"cpu": "another"}, {"cores": 8}, {"memory_bytes": 64_000_000_000}]
)
def test_another_machine_is_said_and_not_judged(host: dict[str, Any]) -> None:
    found = change(run(), run(host=host))
    assert "different machines" in found.machine
    assert found.speed.empty
    assert len(found.not_judged) == len(FOUR)


def test_another_kernel_is_a_change_and_not_another_machine() -> None:
    found = change(run(), run(host={"os": "Linux 6.8", "memory_bytes": 25_290_000_000}))
    assert not found.machine
    assert len(found.speed) == len(FOUR)
    assert ("host, os", "", "Linux 6.1.0", "Linux 6.8") in rows(found)


@pytest.mark.parametrize("column", ["device", "source_sha256", "template"])
def test_other_work_of_one_stack_is_not_judged(column: str) -> None:
    after = run()
    after.conditions.loc[0, column] = "other"
    found = change(run(), after)
    assert list(found.not_judged) == ["llama.cpp"]
    assert len(found.speed) == len(FOUR) - 1


def test_another_workload_is_not_judged() -> None:
    after = run()
    after.runs["study_json"] = after.runs["study_json"].str.replace(
        '"new_tokens": 8', '"new_tokens": 16'
    )
    found = change(run(), after)
    assert found.speed.empty
    assert "8 and 16 new tokens" in found.not_judged["Ollama"]
