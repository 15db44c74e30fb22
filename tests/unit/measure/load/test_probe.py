"""One request before a load, and what its failure says."""

from __future__ import annotations

import pytest

from python_runner.common.errors import EngineError, GenerationError
from python_runner.engines.contract import Dialect, Endpoint
from python_runner.engines.served.load_client import Sending
from python_runner.measure.load.probe import Probe, probe
from tests.unit.load_builders import FakeRequest
from tests.unit.measure.load.fakes import FakeClient, answered

HERE = Endpoint(url="http://h:1/v1/completions", dialect=Dialect.OPENAI_COMPLETIONS, model="m")


def probed(request: FakeRequest) -> Probe:
    return probe(FakeClient([answered(request)]), HERE, b"{}", Sending(), secrets=("sk-9",))


def test_how_fast_one_alone_was() -> None:
    found = probed(FakeRequest(chunks=(40.0, 50.0, 70.0)))
    assert found.ttft_s == pytest.approx(0.040)
    assert found.itl_s == pytest.approx(0.015)
    assert found.e2e_s == pytest.approx(0.070)
    assert (found.prompt_tokens, found.output_tokens) == (48, 3)


def test_one_chunk_has_no_gap() -> None:
    assert probed(FakeRequest(chunks=(40.0,))).itl_s == 0.0


@pytest.mark.parametrize(
    ("kind", "status", "hint"),
    [
        ("status", 401, "--api-key-env"),
        ("status", 403, "--api-key-env"),
        ("status", 404, "--dialect"),
        ("status", 404, "--model"),
        ("status", 429, "wait"),
        ("status", 503, "wait"),
        ("status", 400, "its words"),
        ("status", 500, "log"),
        ("not-a-stream", 200, "address of a server"),
        ("empty", 200, "without a token"),
        ("no-end", 200, "broke its answer off"),
        ("closed", 0, "closed the connection"),
        ("timeout", 0, "more time"),
        ("tls", 0, "--ca-file"),
        ("protocol", 0, "address of a server"),
    ],
)
def test_a_failure_says_what_to_do_next(kind: str, status: int, hint: str) -> None:
    failed = FakeRequest(chunks=(), error_kind=kind, error=f"{kind} words sk-9", status=status)
    with pytest.raises(GenerationError) as raised:
        probed(failed)
    assert raised.value.message == f"{HERE.url}: {kind} words ***"
    assert hint in raised.value.hint
    assert raised.value.exit_code == EngineError.exit_code
