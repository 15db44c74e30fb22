"""llama-cpp-python's own server: FastAPI and uvicorn around the package of the embedded row.

`/v1/completions` takes the text as it is and puts BOS before it. It gives text, no ids; a token
within a character is sent with the token that completes it. An end of sequence is ignored by
a bias against the tokens that end an answer, which the package adds in Python for each token.

It computes one request at a time; others wait. The program that starts it is
`llama_cpp_python_program`.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from python_runner.common.errors import EngineStartError
from python_runner.common.progress import Progress, SilentProgress
from python_runner.engines.build.llama_cpp_python import (
    NEEDS,
    SERVER_NEEDS,
    CtypesBinding,
    require_packages,
)
from python_runner.engines.build.llama_cpp_python import llama_cpp_python as built_package
from python_runner.engines.contract import (
    Dialect,
    Endpoint,
    EngineDescription,
    EngineSpec,
    GenerateRequest,
    LaunchSettings,
    Reach,
    RunningEngine,
    Shipped,
)
from python_runner.engines.ggml.weights import gguf_of, with_weights
from python_runner.engines.hf.serve import piece_of
from python_runner.engines.llama import llama_cpp_python
from python_runner.engines.llama.llama_cpp_python_program import FACTS, arguments
from python_runner.engines.served.at_once import Batching
from python_runner.engines.served.openai_protocol import Dialogue
from python_runner.engines.served.openai_served import Asking, Launch, Started, start_openai
from python_runner.engines.served.streaming import StreamClient, prepare_stream_client
from python_runner.engines.served.truth import prepare_client
from python_runner.engines.worker.program import worker_environment

SPEC = replace(
    llama_cpp_python.SPEC,
    name="llama-cpp-python-server",
    title="llama-cpp-python server",
    reach=Reach.SERVED,
    reports_token_ids=False,
    takes_token_ids=False,
    batching=Batching.ONE_BY_ONE,
    shipped=Shipped(context=2048),
    scores=False,
)

_PROGRAM = "python_runner.engines.llama.llama_cpp_python_program"
_PORT_TAKEN = "address already in use"
_AGAINST = -1e9
"""Added to the logit of a token that is not to come: no model makes up for it."""
_TIMINGS = ("prompt_eval_ms", "eval_ms", "prompt_eval_count", "eval_count")
_SERVER = ("fastapi", "uvicorn", "sse-starlette")


class LlamaCppPythonServerEngine:
    """Implements `contract.Engine` and `Adjusts`."""

    @property
    def spec(self) -> EngineSpec:
        return SPEC

    def prepare(self, progress: Progress) -> None:
        """Fetch the package, build llama.cpp and the client. Raises SetupError."""
        require_packages((*NEEDS, *SERVER_NEEDS), SPEC.title)
        built_package(progress)
        prepare_client(progress)

    def settings_for(self, settings: LaunchSettings) -> LaunchSettings:
        """With one slot: it has no more."""
        return replace(settings, slots=1)

    def start(self, settings: LaunchSettings, log: Path) -> RunningEngine:
        """Start the server and wait until its model is loaded. Raises EngineStartError.

        Call it from a thread that lives as long as the engine.
        """
        quiet = SilentProgress()  # `prepare` has built everything
        binding = built_package(quiet)
        launch = Launch(
            title=SPEC.title,
            command=partial(command, gguf_of(SPEC, settings), settings),
            environment=environment(binding, settings),
            ready="/v1/models",
            port_taken=_PORT_TAKEN,
            advice="If the GGUF file is damaged, delete it and run again: it will be made anew.",
        )

        def describe(started: Started) -> tuple[EngineDescription, Asking]:
            facts = logged_facts(log.read_text(errors="replace"))
            binding.check(facts["library"])
            asking = Asking(
                endpoint=Endpoint(
                    url=f"{started.server.url}/v1/completions",
                    dialect=Dialect.OPENAI_COMPLETIONS,
                    model=settings.model.name,
                ),
                body=partial(request_body, settings.model.name, facts["ends"]),
                dialogue=Dialogue(title=SPEC.title, piece=piece_of, timings=_TIMINGS),
            )
            return with_weights(describe_server(binding, facts), SPEC, settings), asking

        client = StreamClient(prepare_stream_client(quiet))
        return start_openai(launch, settings, log, client, describe)


def command(gguf: Path, settings: LaunchSettings, port: int) -> list[str | Path]:
    """The command line that starts it on a port of 127.0.0.1."""
    name, threads, context = settings.model.name, settings.threads, settings.context
    return [sys.executable, "-m", _PROGRAM, *arguments(gguf, name, threads, context, port)]


def environment(binding: CtypesBinding, settings: LaunchSettings) -> dict[str, str]:
    """Variables by which it finds package and library, and those of any worker."""
    ours = worker_environment(settings.threads)
    path = os.pathsep.join([ours["PYTHONPATH"], str(binding.folder)])
    return {**ours, **binding.environment, "PYTHONPATH": path}


def request_body(model: str, ends: Sequence[int], request: GenerateRequest) -> bytes:
    """The JSON of a request: the text as it is, greedy.

    Args:
        model: its name there.
        ends: the tokens that end an answer, where that is to be ignored.
        request: what is asked for.
    """
    bias = {str(token): _AGAINST for token in ends} if request.ignore_end_of_sequence else {}
    return json.dumps(
        {
            "model": model,
            "prompt": request.prompt_text,
            "max_tokens": request.new_tokens,
            "temperature": 0.0,
            # Its default is 1.1.
            "repeat_penalty": 1.0,
            "seed": request.seed,
            "stream": True,
            **({"logit_bias": bias} if bias else {}),
        }
    ).encode()


def logged_facts(log: str) -> Mapping[str, Any]:
    """What the last server in the log says of itself. Raises EngineStartError if none does."""
    lines = [line.removeprefix(FACTS) for line in log.splitlines() if line.startswith(FACTS)]
    if not lines:
        raise EngineStartError(f"{SPEC.title} does not say what it has loaded")
    facts: Mapping[str, Any] = json.loads(lines[-1])
    return facts


def describe_server(binding: CtypesBinding, facts: Mapping[str, Any]) -> EngineDescription:
    """What it is, by the build of its library and by its own words."""
    return EngineDescription(
        version=str(facts["version"]),
        build={
            **llama_cpp_python.binding_facts(binding, str(facts["system"])),
            "prompt tokens computed at once": str(facts["microbatch"]),
            "threads that compute": str(facts["threads"]),
            "server": ", ".join(f"{name} {version(name)}" for name in _SERVER),
            "slots": "1",
            "continuous batching": "none: others wait until a request is answered",
        },
    )


ENGINE = LlamaCppPythonServerEngine()
