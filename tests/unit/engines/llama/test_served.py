"""A served llama.cpp on paper: what is decided before anything is sent."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from python_runner.common.errors import GenerationError
from python_runner.engines.contract import EngineDescription
from python_runner.engines.llama.served import ServedLlama
from python_runner.engines.served.server_process import ServerProcess
from python_runner.engines.served.streaming import StreamClient
from tests.unit.engines.helpers import request_for, settings_for


@pytest.fixture
def running(tmp_path: Path) -> ServedLlama:
    """One whose server and client would fail if they were used."""
    return ServedLlama(
        cast("ServerProcess", None),
        cast("StreamClient", None),
        EngineDescription(version="1", build={}),
        settings_for(tmp_path, context=8),
        reads_text=False,
        load_ns=1_500_000_000,
    )


def test_what_does_not_fit_is_not_asked(running: ServedLlama) -> None:
    with pytest.raises(GenerationError, match=r"3 prompt tokens and 6 new ones are 9, and .* 8"):
        running.generate(request_for(2, 5, 6, new_tokens=6))


def test_a_tokeniser_that_adds_no_bos_is_not_asked(running: ServedLlama) -> None:
    assert running.token_ids("a text") is None


def test_loading_is_told_in_seconds(running: ServedLlama) -> None:
    assert running.load_seconds == 1.5
