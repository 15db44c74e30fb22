"""What an engine would take by itself."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from python_runner.engines import as_shipped
from python_runner.engines.as_shipped import shipped_context, shipped_threads
from python_runner.engines.contract import Shipped
from tests.unit.builders import model


@pytest.mark.parametrize(("every", "threads"), [(False, 4), (True, 8)])
def test_threads(monkeypatch: pytest.MonkeyPatch, *, every: bool, threads: int) -> None:
    monkeypatch.setattr(as_shipped, "physical_cores", lambda: 4)
    monkeypatch.setattr(as_shipped, "logical_processors", lambda: 8)
    assert shipped_threads(Shipped(every_processor=every)) == threads
    assert shipped_threads(Shipped(every_processor=every, most_threads=2)) == 2
    assert shipped_threads(Shipped(every_processor=every, most_threads=16)) == threads


@pytest.mark.parametrize(
    ("config", "own", "context"),
    [
        ({"max_position_embeddings": 8192}, None, 8192),
        ({"max_position_embeddings": 8192}, 4096, 4096),
        ({"max_position_embeddings": 512}, 4096, 512),
        ({"text_config": {"max_position_embeddings": 8192}}, None, 8192),
        ({}, None, None),
        ({}, 4096, 4096),
    ],
)
def test_context(
    tmp_path: Path, config: dict[str, object], own: int | None, context: int | None
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    here = replace(model(), folder=tmp_path)
    assert shipped_context(Shipped(context=own), here) == context
    alone = replace(here, has_safetensors=False)
    assert shipped_context(Shipped(context=own), alone) == own
