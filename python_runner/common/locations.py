"""Where things lie on disk.

Results stay in the folder where the user works, so that they are easy to find. Builds
and models are large and shared by every checkout, so they live in the user's cache.
"""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

CACHE_VARIABLE = "POLYSTACK_CACHE"
RESULTS_VARIABLE = "POLYSTACK_RESULTS"


def source_root() -> Path:
    """The checkout that holds `native/`, `studies/` and `models/`."""
    return Path(__file__).resolve().parents[2]


def cache_dir() -> Path:
    """Root of what can be made again: builds, model weights, downloads."""
    override = os.environ.get(CACHE_VARIABLE)
    return (
        Path(override).expanduser() if override else Path(platformdirs.user_cache_dir("polystack"))
    )


def ollama_dir() -> Path:
    """Where our Ollama keeps its models, apart from the user's."""
    return cache_dir() / "ollama-models"


def results_dir() -> Path:
    """Where runs are stored and pictures are drawn unless the user says otherwise."""
    return Path(os.environ.get(RESULTS_VARIABLE, "results")).expanduser()
