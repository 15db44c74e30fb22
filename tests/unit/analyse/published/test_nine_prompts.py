"""The table of nine prompts: averages, tokens and agreement, in the columns of the original."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from python_runner.analyse.published import PartRun, PublishedTable, Row, published_table
from python_runner.analyse.published.nine_prompts import answers_by_stack
from python_runner.report.published import published_csv
from python_runner.report.terminal.published import published_report
from python_runner.study import load_published
from tests.golden.compare import assert_golden, rendered
from tests.golden.frames import LLAMA_CPP, TRANSFORMERS, FakeStack, build_frames, rename
from tests.unit.analyse.answers import builders

MARK = {"name": "nine-prompts", "scale": "tiny", "series": "s"}
WEIGHTS = "weights in memory"
CPP = rename(LLAMA_CPP, early_stops={2: 3}, build={WEIGHTS: "bf16"})
PY = rename(TRANSFORMERS, drift=0.0, build={WEIGHTS: "bf16"})
INT8 = rename(
    PY,
    name="transformers@precision=8bit",
    title="transformers, 8bit",
    e2e_s=9.0,
    build={WEIGHTS: "int8 (torchao)"},
    failures={4: "timed out"},
)


def part(*stacks: FakeStack, answers: Any = None) -> PartRun:
    frames = build_frames(stacks, iterations=9, warmup=1).stored()
    study = {"iterations": 9, "workload": {"stop": "end-of-sequence"}, "published": MARK}
    stored = replace(
        frames,
        runs=frames.runs.assign(study_json=json.dumps(study)),
        samples=frames.samples.assign(may_end=True),
    )
    return PartRun(replace(stored, answers=answers) if answers is not None else stored)


def judged(*shortfalls: tuple[float, ...]) -> Any:
    """Answers of the stacks in their order, with what their tokens fall short of the best."""
    frames = builders.frames(
        [builders.answer(100 + number, short) for number, short in enumerate(shortfalls)]
    )
    stacks = frames.stacks[frames.stacks["condition_id"] != 1]
    parts = [each.assign(run_id=7) for each in (frames.checks, stacks, frames.answers)]
    return replace(frames, checks=parts[0], stacks=parts[1], answers=parts[2])


RIGHT = judged((0.0,) * 24, (0.0,) * 24, (0.0,) * 18 + (0.05,) * 6)


def table(*stacks: FakeStack, answers: Any = None) -> PublishedTable:
    return published_table([part(*stacks, answers=answers)], load_published("nine-prompts"))


def row_of(found: PublishedTable, title: str) -> Row:
    (row,) = [row for row in found.rows if row.is_ours and row.values["stack"] == title]
    return row


def test_averages_are_those_of_the_complete_answers() -> None:
    run = part(CPP)
    values = row_of(published_table([run], load_published("nine-prompts")), "llama.cpp").values
    alone = answers_by_stack(run)["llama.cpp"]
    assert values["prompts"] == len(alone) == 9
    assert values["output_tokens"] == pytest.approx((8 * 8 + 3) / 9)
    assert values["tokens_per_s"] == pytest.approx(alone["tokens_per_s"].mean())
    assert values["seconds"] == pytest.approx(alone["seconds"].mean())
    assert values["options"] == "bf16"
    assert "agreement" not in values, "not looked at, and so not known"


def test_agreement_stands_beside_speed() -> None:
    found = table(CPP, PY, INT8, answers=RIGHT)
    agreement = [row.values["agreement"] for row in found.rows if "agreement" in row.values]
    assert agreement == [100.0, 100.0, 75.0]


def test_what_is_missing_or_wrong_is_told() -> None:
    found = table(PY, INT8)
    lack = row_of(found, "transformers, 8bit").lack
    assert "1 of 9 answers are missing" in lack
    assert "not compared with the reference's" in lack
    wrong = table(CPP, answers=judged((9.0,) * 24))
    assert "its answers are wrong, so its speed does not count" in row_of(wrong, "llama.cpp").lack


def test_variants_stand_with_their_engine_before_the_originals_rows() -> None:
    rows = table(CPP, PY, INT8).rows
    titles = [str(row.values["stack"]) for row in rows if row.values["stack"] != "llama.cpp"]
    assert titles[:4] == ["transformers", "transformers, 8bit", "transformers", "transformers"]
    theirs = [row for row in rows if not row.is_ours]
    assert len(theirs) == 12
    assert all(row.not_comparable for row in theirs)


def test_each_answer_can_be_read() -> None:
    found = answers_by_stack(part(CPP, INT8))
    assert list(found) == ["llama.cpp", "transformers@precision=8bit"]
    first = found["llama.cpp"].iloc[1].to_dict()
    assert (first["prompt"], first["output_tokens"], first["answer"]) == ("prompt 2", 3, "w0 w1 w2")
    failed = found["transformers@precision=8bit"].iloc[3]
    assert pd.isna(failed["seconds"])
    assert pd.isna(failed["output_tokens"])


def test_golden() -> None:
    found = table(CPP, PY, INT8, answers=RIGHT)
    assert_golden("nine-prompts-120.txt", rendered(published_report(found), 120))
    assert_golden("nine-prompts.csv", published_csv(found))
