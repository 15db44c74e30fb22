"""The Python stack, served: `transformers serve` of the transformers that the other row runs.

It has `/v1/completions`, which takes the text as it is and puts BOS before it. It gives text
and counts, no ids; a token without text of its own (a special one, a part of a character) gets
no chunk. Requests carry settings for `generate` as JSON, so an end of sequence can be ignored:
with an id that no token has. The program that starts it is `hf_serve_program`.

By default it answers one request after the other. Asked for more slots it is started with
continuous batching, its own way to compute several at once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from python_runner.common.errors import EngineStartError, SetupError
from python_runner.common.progress import Progress, SilentProgress
from python_runner.engines.contract import (
    Dialect,
    Endpoint,
    EngineDescription,
    EngineSpec,
    GenerateRequest,
    LaunchSettings,
    Reach,
    RunningEngine,
)
from python_runner.engines.hf import engine as hf_transformers
from python_runner.engines.hf.serve_program import FACTS, command
from python_runner.engines.mistralrs.engine import end_ids
from python_runner.engines.served.at_once import Batching
from python_runner.engines.served.openai_protocol import Dialogue, Piece
from python_runner.engines.served.openai_served import Asking, Launch, Started, start_openai
from python_runner.engines.served.streaming import StreamClient, prepare_stream_client
from python_runner.engines.served.truth import prepare_client
from python_runner.engines.worker.program import worker_environment

SPEC = replace(
    hf_transformers.SPEC,
    name="transformers-serve",
    title="transformers serve",
    reach=Reach.SERVED,
    batching=Batching.CONTINUOUS,  # asked for where there is more than one slot
    reports_token_ids=False,
    takes_token_ids=False,
    scores=False,
)

_NEEDS = ("accelerate", "fastapi", "openai", "uvicorn")
"""What `transformers serve` wants besides what transformers itself wants."""
_PORT_TAKEN = "address already in use"
_NO_TOKEN = -1
"""As an end of sequence: "your generation will not stop", says transformers of it."""
_PLAIN: Mapping[str, object] = {"do_sample": False, "num_beams": 1, "repetition_penalty": 1.0}
"""Else those in the model's generation_config.json would hold."""


class TransformersServeEngine:
    """Implements `contract.Engine`."""

    @property
    def spec(self) -> EngineSpec:
        return SPEC

    def prepare(self, progress: Progress) -> None:
        """Build the client; raises SetupError if a package is not installed."""
        hf_transformers.prepare(progress)
        for package in _NEEDS:
            try:
                version(package)
            except PackageNotFoundError as error:
                raise SetupError(
                    f"the Python package {package} is not installed; transformers serve needs it",
                    hint="Install polystack with its dependencies, as the README says.",
                ) from error
        prepare_client(progress)

    def start(self, settings: LaunchSettings, log: Path) -> RunningEngine:
        """Start the server and wait until its model is loaded. Raises EngineStartError.

        Call it from a thread that lives as long as the engine.
        """
        folder = settings.model.folder
        if not (folder / "config.json").is_file():
            # It would take the path for the name of a model to download.
            raise EngineStartError(f"{folder} holds no model (no config.json)")
        if "@" in str(folder):
            raise EngineStartError(
                f"transformers serve takes what follows the @ in {folder} for a revision",
                hint="Put the model into a folder without @ in its path.",
            )
        client = StreamClient(prepare_stream_client(SilentProgress()))
        launch = Launch(
            title=SPEC.title,
            command=partial(command, settings),
            environment={
                **worker_environment(settings.threads),
                **hf_transformers.environment(settings),
            },
            ready="/health",
            port_taken=_PORT_TAKEN,
            advice="Is the model whole? `polystack models` shows what there is.",
        )

        def describe(started: Started) -> tuple[EngineDescription, Asking]:
            endpoint = Endpoint(
                url=f"{started.server.url}/v1/completions",
                dialect=Dialect.OPENAI_COMPLETIONS,
                model=str(folder),
            )
            asking = Asking(
                endpoint=endpoint,
                body=partial(request_body, end_ids(folder)),
                dialogue=Dialogue(title=SPEC.title, piece=piece_of),
            )
            return describe_server(log.read_text(errors="replace"), settings), asking

        return start_openai(launch, settings, log, client, describe)


def request_body(ends: tuple[int, ...], request: GenerateRequest) -> bytes:
    """The JSON of a request: the text as it is, greedy.

    Args:
        ends: the tokens that end an answer, where that is not to be ignored.
        request: what is asked for.
    """
    stop = _NO_TOKEN if request.ignore_end_of_sequence else list(ends) or _NO_TOKEN
    return json.dumps(
        {
            "prompt": request.prompt_text,
            "max_tokens": request.new_tokens,
            "seed": request.seed,
            "stream": True,
            "generation_config": json.dumps({**_PLAIN, "eos_token_id": stop}),
        }
    ).encode()


def piece_of(choice: Mapping[str, Any]) -> Piece:
    """What a choice carries."""
    return Piece(text=choice.get("text") or "")


def describe_server(log: str, settings: LaunchSettings) -> EngineDescription:
    """What it is, by what `hf_serve_program` has written into the log.

    Raises EngineStartError if it wrote nothing.
    """
    lines = [line.removeprefix(FACTS) for line in log.splitlines() if line.startswith(FACTS)]
    if not lines:
        raise EngineStartError("transformers serve does not say what it has loaded")
    facts: dict[str, str] = json.loads(lines[-1])
    packages = ", ".join(f"{name} {version(name)}" for name in ("fastapi", "uvicorn"))
    return EngineDescription(
        version=version("transformers"),
        build={
            **facts,
            "server": packages,
            "prompt cache": "none",
            "continuous batching": "on" if settings.slots > 1 else "off",
        },
    )


ENGINE = TransformersServeEngine()
