"""The prompts of a file, from the study to the requests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from python_runner.common.errors import StudyError, UsageError
from python_runner.common.progress import SilentProgress
from python_runner.engines.contract import LaunchSettings
from python_runner.measure import Block, Plan
from python_runner.models import Model, find_source
from python_runner.run.asked import iterations_of_file, prompts_of_load
from python_runner.run.preparation import plan_for
from python_runner.study import Study, load_study
from tests.unit.builders import study
from tests.unit.measure.test_prompts import encode

QUESTIONS = ("Why is the sea salty?", "Name three metals.", "Is a tomato a fruit?", "What is rust?")


@pytest.fixture
def asked(tmp_path: Path) -> Path:
    path = tmp_path / "asked.txt"
    path.write_text("\n".join(QUESTIONS), encoding="utf-8")
    return path


def of_file(path: Path, **changes: Any) -> Study:
    work = {"prompts": str(path), "new_tokens": 8, "stop": "end-of-sequence"}
    values = {"iterations": 3, "warmup": 1, "blocks": 1, "context": 64, "workload": work}
    return study(**values | changes)


def plan(chosen: Study, logs: Path) -> Plan:
    source = find_source("gemma-2-tiny")
    model = Model(
        name=source.name,
        label=source.label,
        is_synthetic=False,
        folder=source.folder,
        source_sha256="",
        gguf={},
    )
    settings = LaunchSettings(
        model=model, precision="bf16", device="cpu", threads=1, context=chosen.context
    )
    return plan_for(chosen, source, settings, log=logs / "log", progress=SilentProgress())


def texts(found: Plan) -> list[str]:
    return [prompt.text for prompt in found.prompts]


def test_prompts_are_asked_in_their_order_the_first_to_warm_up(asked: Path, tmp_path: Path) -> None:
    found = plan(of_file(asked), tmp_path)
    assert texts(found) == list(QUESTIONS)
    assert found.iterations == 3
    assert found.may_end
    first, *timed = found.whole().requests
    assert (first.is_warmup, first.prompt.text) == (True, QUESTIONS[0])
    assert [(each.iteration, each.prompt.text) for each in timed] == list(
        enumerate(QUESTIONS[1:], start=1)
    )
    assert "asked.txt in their order, each once" in found.prompt_cache


def test_a_later_visit_is_warmed_up_by_the_first_prompt_again(asked: Path, tmp_path: Path) -> None:
    found = plan(of_file(asked, blocks=3), tmp_path)
    second = found.visit(Block(number=2, first=2, count=1), before=1)
    assert [(each.is_warmup, each.prompt.text) for each in second.requests] == [
        (True, QUESTIONS[0]),
        (False, QUESTIONS[2]),
    ]


def test_a_file_with_too_few_prompts_says_how_many_it_has(asked: Path, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="has 4, and 1 of warm-up and 9 iterations take 10"):
        plan(of_file(asked, iterations=9), tmp_path)


def test_what_does_not_fit_is_told_before_anything_starts(asked: Path, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"asked\.txt, line 1 .* context of 16; 4 of 4"):
        plan(of_file(asked, context=16), tmp_path)


def test_how_many_iterations_a_file_has(asked: Path, tmp_path: Path) -> None:
    assert iterations_of_file(asked, 1) == 3
    with pytest.raises(UsageError, match="all of its 4 are needed for warming up"):
        iterations_of_file(asked, 4)
    many = tmp_path / "many.txt"
    many.write_text("a question\n" * 300, encoding="utf-8")
    with pytest.raises(UsageError, match="has 300 of them"):
        iterations_of_file(many, 1)


def test_a_load_takes_the_same_files(asked: Path) -> None:
    found = prompts_of_load(asked, of_file(asked), encode, str, context=64)
    assert [prompt.text for prompt in found.prompts] == list(QUESTIONS)
    assert found.said == "the 4 prompts of asked.txt, in turn"
    with pytest.raises(StudyError, match="line 1"):
        prompts_of_load(asked, of_file(asked), encode, str, context=9)
    unknown = prompts_of_load(asked, of_file(asked), None, str, context=None)
    assert {prompt.ids for prompt in unknown.prompts} == {()}


def test_a_studys_file_lies_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = load_study("nine-prompts")
    shipped = Path(found.workload.prompts or "")
    assert shipped.is_absolute()
    assert len(shipped.read_text(encoding="utf-8").splitlines()) == 10 == 1 + found.iterations
    assert (found.workload.may_end, found.workload.new_tokens) == (True, 200)


def test_the_shipped_questions_fit_the_window_of_the_tiny_model(tmp_path: Path) -> None:
    found = plan(load_study("nine-prompts").model_copy(update={"context": 512}), tmp_path)
    longest = max(len(prompt.ids) for prompt in found.prompts)
    assert longest + 30 <= 64, "beyond it the tiny model's stacks do not agree"
    assert len({prompt.text.split()[0] for prompt in found.prompts[:10]}) == 10
