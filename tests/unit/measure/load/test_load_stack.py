"""One stack under load, on a client that plays a script."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from python_runner.common.errors import EngineStartError, GenerationError, UsageError
from python_runner.common.progress import SilentProgress
from python_runner.engines.contract import (
    Dialect,
    Endpoint,
    EngineDescription,
    GenerateRequest,
    Language,
    LaunchSettings,
    Reach,
)
from python_runner.engines.mock import MockEngine, MockModel, MockScript, mock_spec
from python_runner.measure import Prompt
from python_runner.measure.load.calibration import Pace
from python_runner.measure.load.level import ClientError, Level
from python_runner.measure.load.plan import LoadPlan
from python_runner.measure.load.stack import LoadTools, level_title, measure_load
from tests.unit.builders import settings
from tests.unit.load_builders import FakeRequest, client_error, closed, finished, opened
from tests.unit.measure.load.fakes import FakeClient, FakeRun, Kept, answered

SPEC = mock_spec("served", Language.CPP, Reach.SERVED)
FAILED = FakeRequest(chunks=(), error_kind="status", error="status 500: no", status=500)


class ServedMock(MockModel):
    """A mock that says where it can be asked."""

    version = "1"

    @property
    def description(self) -> EngineDescription:
        return EngineDescription(version=self.version, build={})

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(url="http://x/completion", dialect=Dialect.LLAMA_COMPLETION, model="m")

    def request_body(self, request: GenerateRequest) -> bytes:
        return f"{request.prompt_text} {request.new_tokens}".encode()


class Silent(ServedMock):
    version = ""


@dataclass
class ServedEngine(MockEngine):
    """Starts `kind`."""

    kind: type[MockModel] = ServedMock

    def __post_init__(self) -> None:
        super().__init__(SPEC, MockScript())

    def start(self, settings: LaunchSettings, log: Path) -> MockModel:
        return self.kind(SPEC, MockScript(), settings)


@dataclass
class Fixed:
    """A calibrator that knows its answer."""

    paces: list[Pace]

    def measure(self, pace: Pace) -> ClientError:
        self.paces.append(pace)
        return client_error(streams=pace.streams)


def plan(*levels: Level) -> LoadPlan:
    return LoadPlan(
        levels=levels,
        first=Prompt(text="first", ids=()),
        prompts=tuple((Prompt(text=f"level {n}", ids=(2, n)),) for n in range(len(levels))),
        new_tokens=4,
        template="raw",
        sampling="greedy",
        seed=1,
        prompt_cache="different prompts",
        timeout_s=9.0,
        headers={"Authorization": "Bearer k"},
        secrets=("k",),
    )


def measured(
    client: FakeClient, *levels: Level, engine: MockEngine | None = None
) -> tuple[Kept, str, list[Pace]]:
    kept = Kept()
    paces: list[Pace] = []
    error = measure_load(
        engine or ServedEngine(),
        settings(),
        plan(*levels),
        tools=LoadTools(client=client, calibrator=Fixed(paces)),
        recorder=kept,
        log=Path("unused.log"),
        progress=SilentProgress(),
    )
    return kept, error, paces


def test_one_request_first_then_level_by_level() -> None:
    client = FakeClient([answered(), answered(), answered()])
    kept, error, paces = measured(client, closed(users=2), closed(users=8))
    assert error == ""
    assert kept.calls == [
        "begin",
        *("begin_level", "record", "end_level") * 2,
        "finish",
    ]
    assert client.bodies == [[b"first 4"], [b"level 0 4"], [b"level 1 4"]]
    assert [shape.users for shape in client.shapes] == [1, 2, 8]
    assert {sending.timeout_s for sending in client.sent} == {9.0}
    assert client.sent[0].headers == {"Authorization": "Bearer k"}
    assert [found and found.streams for _, found in kept.levels] == [2, 8]
    assert [pace.streams for pace in paces] == [2, 8]


def test_calibration_goes_by_what_the_server_just_did() -> None:
    client = FakeClient([answered(FakeRequest(chunks=(30.0, 37.0))), answered(), answered()])
    _, _, paces = measured(client, closed(users=2), closed(users=8))
    assert paces[0].ttft_s == pytest.approx(0.030)
    assert paces[0].itl_s == pytest.approx(0.007)
    assert paces[1].itl_s == pytest.approx(0.010)  # as the level before showed it
    assert paces[0].dialect is Dialect.LLAMA_COMPLETION


def test_wrong_counts_are_told_where_answers_cannot_end_early() -> None:
    kept, _, _ = measured(FakeClient([answered(), answered()]), closed())
    assert kept.levels[0][0].new_tokens == 4
    early = ServedEngine()
    early._spec = replace(SPEC, can_ignore_end_of_sequence=False)
    kept, _, _ = measured(FakeClient([answered(), answered()]), closed(), engine=early)
    assert kept.levels[0][0].new_tokens is None


def test_a_first_request_that_fails_says_what_to_look_at() -> None:
    kept, error, _ = measured(FakeClient([answered(FAILED)]), closed())
    assert "status 500: no" in error
    assert kept.calls == ["begin", "finish"]
    assert kept.endings == [error]


def test_an_engine_that_does_not_start_is_a_result() -> None:
    class Broken(ServedEngine):
        def start(self, settings: LaunchSettings, log: Path) -> MockModel:
            raise EngineStartError("it never became ready")

    kept, error, _ = measured(FakeClient([]), closed(), engine=Broken())
    assert "never became ready" in error
    assert kept.endings == [error]


def test_a_level_of_failures_only_ends_the_stack() -> None:
    client = FakeClient([answered(), answered(FAILED, FAILED), answered()])
    kept, error, _ = measured(client, closed(users=2), closed(users=8))
    assert error.startswith("2 users: every request failed, the last by status: status 500")
    assert len(kept.levels) == 1


def test_a_load_that_cannot_begin_is_a_result() -> None:
    client = FakeClient([answered(), GenerationError("cannot connect")])
    kept, error, _ = measured(client, closed())
    assert error == "cannot connect"
    assert kept.calls == ["begin", "begin_level", "end_level", "finish"]


def test_a_mistake_of_the_user_is_not_a_result_of_the_engine() -> None:
    client = FakeClient([answered(), UsageError("too many connections")])
    with pytest.raises(UsageError):
        measured(client, closed())


def test_what_has_no_version_is_not_measured() -> None:
    kept, error, _ = measured(FakeClient([]), closed(), engine=ServedEngine(kind=Silent))
    assert "version" in error
    assert kept.levels == []


def test_what_is_no_server_cannot_be_put_under_load() -> None:
    _, error, _ = measured(FakeClient([]), closed(), engine=ServedEngine(kind=MockModel))
    assert "is no server" in error


def test_ctrl_c_is_passed_on_after_the_level_is_kept() -> None:
    run = FakeRun([finished([FakeRequest()])] * 4, interrupt=True)
    kept = Kept()
    with pytest.raises(KeyboardInterrupt):
        measure_load(
            ServedEngine(),
            settings(),
            plan(closed()),
            tools=LoadTools(client=FakeClient([answered(), run]), calibrator=None),
            recorder=kept,
            log=Path("unused.log"),
            progress=SilentProgress(),
        )
    assert kept.ends[0].error == "interrupted"
    assert kept.levels[0][1] is None


def test_titles() -> None:
    assert level_title(closed(users=1)) == "1 user"
    assert level_title(closed(users=16)) == "16 users"
    assert level_title(opened(rate=2.5)) == "2.5 requests/s, constant"
