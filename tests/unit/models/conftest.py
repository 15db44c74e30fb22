"""A cache of its own for every test, and a model small enough to be made in one."""

from pathlib import Path

import pytest

from python_runner.models.cards import ModelCard


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("POLYSTACK_CACHE", str(folder))
    return folder


@pytest.fixture
def small_card() -> ModelCard:
    return ModelCard.model_validate(
        {
            "name": "small",
            "label": "small, random weights",
            "licence": "Apache-2.0",
            "weights": "random",
            "family": "Small",
            "architecture": "gemma2",
            "shape": {
                "vocabulary": 512,
                "hidden": 32,
                "intermediate": 64,
                "layers": 2,
                "heads": 2,
                "kv_heads": 1,
                "head": 16,
                "context": 64,
                "sliding_window": 16,
                "attention_cap": 50.0,
                "logit_cap": 30.0,
                "rope_theta": 10000.0,
                "norm_eps": 1e-6,
            },
            "random": {"seed": 7},
        }
    )
