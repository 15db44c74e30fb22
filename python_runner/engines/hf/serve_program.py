"""Starts `transformers serve`, the program behind the row `transformers-serve`.

It is the server's own command (`Serve`), called as a function. Three things are ours, and none
of them has an option there:

- the weights' pages are touched while the model is loaded, as in the embedded row: else the
  first request would pay for reading the file;
- weights of 8 bits, made as in the embedded row (`hf_int8`): `--quantization` knows only a
  library for other devices;
- a line in the log that says what was loaded and with how many threads.

Nor does it ask the net for a newer version, as the command line does.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from python_runner.engines.contract import LaunchSettings

FACTS = "polystack: loaded "
"""What the line in the log begins with; JSON follows."""
_BLOCK = 32
"""Tokens of a block of the cache, with continuous batching."""


def command(settings: LaunchSettings, port: int) -> list[str | Path]:
    """The command line that starts it on a port of 127.0.0.1."""
    return [
        *(sys.executable, "-m", __name__, settings.model.folder),
        *("--port", str(port), "--threads", str(settings.threads)),
        *("--precision", settings.precision),
        *("--slots", str(settings.slots), "--context", str(settings.context)),
    ]


def main(arguments: Sequence[str]) -> None:
    """Load the model and serve it until a signal comes."""
    import torch
    from transformers.cli.serve import Serve
    from transformers.cli.serving import model_manager

    options = _parse(arguments)
    torch.set_num_threads(options.threads)

    class Manager(model_manager.ModelManager):
        """Loads as the embedded row does, and says what came of it."""

        def _load_model(self, *args: Any, **kwargs: Any) -> Any:
            return _made_ready(super()._load_model(*args, **kwargs), options.precision)

    # `Serve` looks there for the class, and has no other way to be given one.
    theirs: Any = model_manager
    theirs.ModelManager = Manager
    serve: Any = Serve
    serve(
        force_model=options.folder,
        device="cpu",
        dtype="auto" if options.precision == "shipped" else "bfloat16",
        host="127.0.0.1",
        port=options.port,
        **batching(options.slots, options.context),
    )


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--precision", required=True)
    for name in ("port", "threads", "slots", "context"):
        parser.add_argument(f"--{name}", type=int, required=True)
    return parser.parse_args(arguments)


def batching(slots: int, context: int) -> dict[str, object]:
    """How several requests are computed at once: each slot with the whole context."""
    if slots == 1:
        return {}
    blocks = slots * -(-context // _BLOCK)
    return {"continuous_batching": True, "cb_block_size": _BLOCK, "cb_num_blocks": blocks}


def _made_ready(model: Any, precision: str) -> Any:
    import torch

    from python_runner.engines.hf.engine import touch
    from python_runner.engines.hf.facts import build_facts
    from python_runner.engines.hf.int8 import held_as, to_int8

    touch(model.parameters())
    if precision == "8bit":
        to_int8(model)
    facts = {
        **build_facts(model.config),
        **held_as(model),
        "threads that compute": str(torch.get_num_threads()),
    }
    sys.stdout.write(f"{FACTS}{json.dumps(facts)}\n")
    sys.stdout.flush()
    return model


if __name__ == "__main__":
    main(sys.argv[1:])
