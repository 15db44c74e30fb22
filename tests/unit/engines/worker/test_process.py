"""What a worker answers, tested in this process with a model on paper."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from python_runner.common.errors import ModelError
from python_runner.engines.contract import (
    EngineDescription,
    GenerateRequest,
    Generation,
    LaunchSettings,
    StopReason,
)
from python_runner.engines.worker import wire
from python_runner.engines.worker.process import serve
from tests.unit.engines.helpers import request_for, settings_for

HERE = __name__


class PaperModel:
    closed = 0

    @property
    def description(self) -> EngineDescription:
        return EngineDescription(version="1", build={"flags": "none"})

    def token_ids(self, text: str) -> tuple[int, ...] | None:
        return None if text == "?" else (2, *map(ord, text))

    def generate(self, request: GenerateRequest) -> Generation:
        if request.seed:
            raise ZeroDivisionError("first line\nframe 1\nframe 2")
        return Generation(
            requested_ns=1,
            chunk_ns=(2,),
            chunk_tokens=(1,),
            ended_ns=3,
            prompt_tokens=len(request.prompt_ids),
            output_tokens=1,
            stop=StopReason.LENGTH,
            text="a",
            token_ids=(97,),
        )

    def close(self) -> None:
        PaperModel.closed += 1


def load(settings: LaunchSettings) -> PaperModel:
    return PaperModel()


def load_nothing(settings: LaunchSettings) -> PaperModel:
    raise ModelError("the weights are cut off", hint="Make them again.")


def load_badly(settings: LaunchSettings) -> PaperModel:
    raise RuntimeError("tensor has 3 dimensions")


def converse(*messages: wire.Message) -> list[wire.Message]:
    incoming = io.BytesIO(b"".join(wire.encode(message) for message in messages))
    outgoing = io.BytesIO()
    serve(incoming, outgoing)
    return [wire.decode(line) for line in outgoing.getvalue().splitlines()]


@pytest.fixture
def loading(tmp_path: Path) -> wire.Load:
    return wire.Load(loader=f"{HERE}:load", settings=settings_for(tmp_path, context=10))


def test_it_loads_describes_itself_and_answers(loading: wire.Load) -> None:
    ready, described, generated = converse(
        loading, wire.Describe(), wire.Generate(request=request_for(2, 5))
    )
    assert ready == wire.Ready()
    assert isinstance(described, wire.Described)
    assert described.description.version == "1"
    assert isinstance(generated, wire.Generated)
    assert generated.generation.prompt_tokens == 2


def test_it_tokenises(loading: wire.Load) -> None:
    assert converse(loading, wire.Tokenize(text="a"), wire.Tokenize(text="?"))[1:] == [
        wire.TokenIds(ids=(2, 97)),
        wire.TokenIds(ids=None),
    ]


@pytest.mark.parametrize("last", [[], [wire.Quit()]])
def test_the_model_is_freed_at_the_end(loading: wire.Load, last: list[wire.Message]) -> None:
    before = PaperModel.closed
    converse(loading, *last)
    assert PaperModel.closed == before + 1


def test_nothing_after_quit_is_obeyed(loading: wire.Load) -> None:
    assert converse(loading, wire.Quit(), wire.Describe()) == [wire.Ready()]


def test_our_own_errors_keep_their_kind_and_hint(tmp_path: Path) -> None:
    message = wire.Load(loader=f"{HERE}:load_nothing", settings=settings_for(tmp_path))
    assert converse(message) == [
        wire.Failure(kind="ModelError", message="the weights are cut off", hint="Make them again.")
    ]


def test_any_error_of_a_library_while_loading_is_a_failed_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    message = wire.Load(loader=f"{HERE}:load_badly", settings=settings_for(tmp_path))
    (failure,) = converse(message)
    assert isinstance(failure, wire.Failure)
    assert failure.kind == "EngineStartError"
    assert failure.message == "RuntimeError: tensor has 3 dimensions"
    assert "load_badly" in capsys.readouterr().err, "the log has the whole traceback"


def test_a_failed_request_is_told_in_one_line_and_the_next_one_is_answered(
    loading: wire.Load, capsys: pytest.CaptureFixture[str]
) -> None:
    failing = GenerateRequest(prompt_text="", prompt_ids=(2,), new_tokens=1, seed=1)
    _, failure, generated = converse(
        loading, wire.Generate(request=failing), wire.Generate(request=request_for(2))
    )
    assert failure == wire.Failure(
        kind="GenerationError", message="ZeroDivisionError: first line", hint=""
    )
    assert isinstance(generated, wire.Generated)
    assert "frame 2" in capsys.readouterr().err


def test_a_request_beyond_the_context_is_refused_with_numbers(loading: wire.Load) -> None:
    _, failure = converse(loading, wire.Generate(request=request_for(2, 3, new_tokens=9)))
    assert isinstance(failure, wire.Failure)
    assert failure.kind == "GenerationError"
    assert "11" in failure.message
    assert "context has 10" in failure.message


def test_a_request_before_the_model_is_refused() -> None:
    (failure,) = converse(wire.Generate(request=request_for(2)))
    assert isinstance(failure, wire.Failure)
    assert failure.kind == "EngineStartError"


class StampingModel(PaperModel):
    def stamp_cost_ns(self) -> float:
        return 41.5


def load_stamping(settings: LaunchSettings) -> PaperModel:
    return StampingModel()


@pytest.mark.parametrize(("loader", "cost"), [("load", None), ("load_stamping", 41.5)])
def test_the_cost_of_a_stamp_where_the_model_can_tell(
    tmp_path: Path, loader: str, cost: float | None
) -> None:
    message = wire.Load(loader=f"{HERE}:{loader}", settings=settings_for(tmp_path))
    assert converse(message, wire.MeasureStamps())[1:] == [wire.StampCost(ns=cost)]
