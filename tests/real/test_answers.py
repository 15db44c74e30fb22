"""Answers held against the reference, on the tiny model: what is wrong is found, a near-tie is not.

The wrong engines are right ones on other weights than they say, as a faulty conversion would be.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from python_runner.analyse.answers import AnswerVerdict, answer_figures, judge_answers
from python_runner.analyse.answers.limits import limits_for
from python_runner.common.progress import Progress, SilentProgress
from python_runner.engines.build.llamacpp import llama_quantize
from python_runner.engines.contract import Engine, EngineSpec, LaunchSettings, RunningEngine
from python_runner.engines.llama import llamacpp
from python_runner.engines.llama import server as llama_server
from python_runner.engines.scoring import ScoreRequest, Scores, TokenScores
from python_runner.engines.table import engine
from python_runner.measure.answers.passage import passage_request
from python_runner.models import Model, ReferenceTokenizer, prepare_model
from python_runner.run.answers import check_answers
from python_runner.run.compare import compare
from python_runner.store import AnswerFrames, Store, read_frames
from tests.contract.names import names_under_test
from tests.contract.processes import no_process_left
from tests.real.command import Marked
from tests.unit.builders import study

Damage = Callable[[dict[str, torch.Tensor]], None]
SCORING = [name for name in names_under_test() if engine(name).spec.scores]


@pytest.fixture(scope="module")
def tiny() -> Model:
    ggufs = {"bf16", "q8_0", "q4_k_m"}
    return prepare_model(
        "gemma-2-tiny", ggufs, SilentProgress(), quantiser=llama_quantize, ct2={"bf16", "int8"}
    )


class Asked(NamedTuple):
    model: Model
    passage: ScoreRequest


@pytest.fixture(scope="module")
def asked(tiny: Model) -> Asked:
    return Asked(tiny, passage_request(ReferenceTokenizer(tiny.folder).encode))


def scores(name: str, precision: str, asked: Asked, log: Path) -> TokenScores:
    candidate = engine(name)
    candidate.prepare(SilentProgress())
    settings = LaunchSettings(
        model=asked.model, precision=precision, device="cpu", threads=1, context=256
    )
    with no_process_left(), candidate.start(settings, log) as running:
        assert isinstance(running, Scores)
        return running.score(asked.passage)


@pytest.fixture(scope="module")
def reference(asked: Asked, tmp_path_factory: pytest.TempPathFactory) -> TokenScores:
    log = tmp_path_factory.mktemp("reference") / "log"
    return scores("transformers", "bf16", asked, log)


@pytest.mark.parametrize("name", SCORING)
@pytest.mark.parametrize("precision", ["bf16", "8bit", "shipped"])
def test_an_engine_scores_a_text_as_the_reference_does(
    asked: Asked, reference: TokenScores, name: str, precision: str, tmp_path: Path
) -> None:
    found = scores(name, precision, asked, tmp_path / "log")
    count = len(asked.passage.answer_ids)
    assert len(found.logprobs) == len(found.top_ids) == len(found.top_logprobs) == count
    assert all(row == tuple(sorted(row, reverse=True)) for row in found.top_logprobs)
    differences = np.abs(np.subtract(found.logprobs, reference.logprobs))
    bits = engine(name).spec.formats[precision].bits
    assert differences.mean() < limits_for(bits).mean_difference


@pytest.mark.parametrize("name", SCORING)
def test_a_score_does_not_hang_on_what_follows(asked: Asked, name: str, tmp_path: Path) -> None:
    short = replace(asked.passage, answer_ids=asked.passage.answer_ids[:9], top=4)
    found = scores(name, "bf16", asked._replace(passage=short), tmp_path / "log")
    whole = scores(name, "bf16", asked, tmp_path / "log")
    assert np.allclose(found.logprobs, whole.logprobs[:9], atol=0.1)
    assert {len(row) for row in found.top_ids} == {4}


class OnOtherWeights:
    """An engine that is given another model's files than it is told."""

    def __init__(self, real: Engine, other: Model) -> None:
        self._real = real
        self._other = other

    @property
    def spec(self) -> EngineSpec:
        return self._real.spec

    def prepare(self, progress: Progress) -> None:
        self._real.prepare(progress)

    def start(self, settings: LaunchSettings, log: Path) -> RunningEngine:
        return self._real.start(replace(settings, model=self._other), log)


def another_seed(weights: dict[str, torch.Tensor]) -> None:
    generator = torch.Generator().manual_seed(7)
    for name, tensor in weights.items():
        if tensor.dim() == 2:
            drawn = torch.randn(tensor.shape, generator=generator) * tensor.float().std()
            weights[name] = drawn.to(tensor.dtype)


def one_matrix_turned(weights: dict[str, torch.Tensor]) -> None:
    name = next(name for name in weights if name.endswith("layers.1.self_attn.o_proj.weight"))
    weights[name] = -weights[name]


def damaged(tiny: Model, folder: Path, damage: Damage) -> Model:
    copy = folder / "gemma-2-tiny-other"
    shutil.copytree(tiny.folder, copy)
    weights = load_file(copy / "model.safetensors")
    damage(weights)
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    return prepare_model(str(copy), {"bf16", "q8_0"}, SilentProgress(), quantiser=llama_quantize)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "polystack.sqlite") as opened:
        yield opened


def looked_at(store: Store, *stacks: str, precision: str = "bf16") -> AnswerFrames:
    chosen = study(
        stacks=stacks, precision=precision, iterations=3, warmup=0, threads=1, context=256
    )
    logs = store.path.parent
    with no_process_left():
        run = compare(chosen, store, logs=logs, progress=SilentProgress())
        assert not run.broken
        assert check_answers(store, run.run_id, logs=logs, progress=SilentProgress()) == ""
    return read_frames(store).answers


def verdicts(store: Store, found: AnswerFrames) -> dict[str, str]:
    conditions = read_frames(store).conditions
    names = dict(zip(conditions["condition_id"], conditions["stack"], strict=True))
    judged = judge_answers(found)
    return {
        names[condition]: verdict
        for condition, verdict in zip(judged["condition_id"], judged["verdict"], strict=True)
    }


@pytest.mark.parametrize("damage", [another_seed, one_matrix_turned])
@pytest.mark.parametrize("precision", ["bf16", "8bit"])
def test_an_engine_on_wrong_weights_is_found(
    store: Store, tiny: Model, monkeypatch: pytest.MonkeyPatch, damage: Damage, precision: str
) -> None:
    other = damaged(tiny, store.path.parent, damage)
    monkeypatch.setattr(llamacpp, "ENGINE", OnOtherWeights(llamacpp.ENGINE, other))
    found = looked_at(store, "llama.cpp", "llama-server", precision=precision)
    assert verdicts(store, found) == {
        "llama.cpp": AnswerVerdict.WRONG,
        "llama-server": AnswerVerdict.RIGHT,
    }


def test_a_wrong_server_that_gives_text_only_is_found(
    store: Store, tiny: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from python_runner.engines.ollama import engine as ollama

    other = damaged(tiny, tmp_path, one_matrix_turned)
    monkeypatch.setattr(ollama, "ENGINE", OnOtherWeights(ollama.ENGINE, other))
    found = looked_at(store, "ollama")
    assert verdicts(store, found) == {"ollama": AnswerVerdict.WRONG}


def test_right_engines_are_right_and_their_near_ties_are_none(store: Store) -> None:
    found = looked_at(store, "llama.cpp", "ollama", "transformers")
    assert set(verdicts(store, found).values()) == {AnswerVerdict.RIGHT}
    figures = answer_figures(found.answers)
    assert figures["far_tokens"].sum() == 0
    # The prompts are no text that the tiny model has learnt: there it is not sure.
    assert figures["best_tokens"].sum() > 0.9 * figures["tokens"].sum()


def test_the_command_does_it_by_itself_and_shows_it_later(tmp_path: Path) -> None:
    marked = Marked(tmp_path)
    short = ("--iterations", "2", "--warmup", "0", "--threads", "1")
    with no_process_left():
        code, printed = marked.run("compare", "demo", "--stacks", "llama.cpp,ollama", *short)
        assert code == 0, printed
        assert "Answers, token by token as transformers" in printed
        code, printed = marked.run("answers")
    assert code == 0
    assert "perplexity" in printed
    assert "right" in printed
    code, printed = marked.run("export")
    assert "samples-answers.csv" in printed
    assert not marked.processes()
    assert llama_server.SPEC.scores is False
