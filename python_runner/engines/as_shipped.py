"""What an engine runs with where its user sets nothing, as far as it can be set here."""

from __future__ import annotations

import json

from python_runner.common.host import logical_processors, physical_cores
from python_runner.engines.contract import Shipped
from python_runner.models import Model


def shipped_threads(shipped: Shipped) -> int:
    """How many threads the engine would take on this machine."""
    found = logical_processors() if shipped.every_processor else physical_cores()
    return min(found, shipped.most_threads or found)


def shipped_context(shipped: Shipped, model: Model) -> int | None:
    """How many tokens of context it would take for this model; None if that is not known."""
    made_for = _made_for(model)
    if shipped.context is None or made_for is None:
        return shipped.context or made_for
    return min(shipped.context, made_for)


def _made_for(model: Model) -> int | None:
    """The context that the model's configuration names."""
    config = model.folder / "config.json"
    if not (model.has_safetensors and config.is_file()):
        return None
    document = json.loads(config.read_text(encoding="utf-8"))
    inner = document.get("text_config", {})
    length = document.get("max_position_embeddings", inner.get("max_position_embeddings"))
    return int(length) if length else None
