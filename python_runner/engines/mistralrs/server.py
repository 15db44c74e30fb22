"""The Rust stack, served: mistral.rs's own HTTP server on the crates that our binding stands on.

The program is `native/rust/mistralrs-server`: the routes and handlers of the crate
`mistralrs-server-core`, and a model that is loaded by the same code as the binding's. What
version 0.8.1 can do and cannot:

- Streamed `/v1/completions` gives no counts at all, so chat completions are asked for; the
  prompt goes through a template that renders it as it is (`raw_prompt.jinja`).
- It takes text only. It gives no ids, except those of the alternatives listed with
  log-probabilities. One is asked for: under greedy decoding it is the token that was chosen.
- A token that ends within a character gets no chunk. Chunk and token then are not the same
  thing, and no ids are reported for that answer. If it is the last, the stream ends without a
  word about its end: the same is then asked once more, in one piece, for its counts.
- It leaves out white space at the start of a streamed text, so the text is made from the ids.
- Whether an end of sequence ends an answer, no request can say. The program has two names for
  the one model.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from python_runner.common.errors import EngineStartError
from python_runner.common.progress import Progress, SilentProgress
from python_runner.engines.build.mistralrs import MistralRsServerBuild, mistralrs_server_build
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
from python_runner.engines.mistralrs.engine import LOADING, facts_of
from python_runner.engines.mistralrs.engine import SPEC as EMBEDDED
from python_runner.engines.served.at_once import Batching
from python_runner.engines.served.openai_protocol import Dialogue, Piece
from python_runner.engines.served.openai_served import Asking, Launch, Started, start_openai
from python_runner.engines.served.streaming import StreamClient, prepare_stream_client
from python_runner.engines.served.truth import prepare_client
from python_runner.engines.worker.program import worker_environment
from python_runner.models import ReferenceTokenizer

SPEC = replace(
    EMBEDDED,
    name="mistral.rs-server",
    title="mistral.rs server",
    reach=Reach.SERVED,
    batching=Batching.CONTINUOUS,
    takes_token_ids=False,
    scores=False,
)

_TEMPLATE = Path(__file__).with_name("raw_prompt.jinja")
_PORT_TAKEN = "Address already in use"
_ENDS, _GOES_ON = "ends", "goes-on"
"""The names of the one model: whether an end of sequence ends the answer."""
_TIMINGS = ("total_prompt_time_sec", "total_completion_time_sec", "total_time_sec")
# Variables by which a user sets options of every mistral.rs that he starts.
_FOREIGN = ("KEEP_ALIVE_INTERVAL", "MISTRALRS_DEBUG", "RUST_LOG")


class MistralRsServerEngine:
    """Implements `contract.Engine`."""

    @property
    def spec(self) -> EngineSpec:
        return SPEC

    def prepare(self, progress: Progress) -> None:
        """Build the server and the client. Raises SetupError."""
        mistralrs_server_build(progress)
        prepare_client(progress)

    def start(self, settings: LaunchSettings, log: Path) -> RunningEngine:
        """Start the server and wait until its model is loaded. Raises EngineStartError.

        Call it from a thread that lives as long as the engine.
        """
        quiet = SilentProgress()  # `prepare` has built everything
        build = mistralrs_server_build(quiet)
        folder = settings.model.folder
        if not (folder / "config.json").is_file():
            # mistral.rs would take the path for the name of a model to download.
            raise EngineStartError(f"{folder} holds no model (no config.json)")
        tokenizer = ReferenceTokenizer(folder)
        dialogue = Dialogue(
            title=SPEC.title, piece=piece_of, decode=tokenizer.decode, timings=_TIMINGS
        )

        def describe(started: Started) -> tuple[EngineDescription, Asking]:
            endpoint = Endpoint(
                url=f"{started.server.url}/v1/chat/completions",
                dialect=Dialect.OPENAI_CHAT,
                model=_GOES_ON,
            )
            asking = Asking(
                endpoint=endpoint,
                body=request_body,
                dialogue=dialogue,
                unstreamed=partial(request_body, streamed=False),
            )
            return describe_server(build, started.ready, settings), asking

        launch = Launch(
            title=SPEC.title,
            command=lambda port: [build.binary, *server_arguments(settings, port)],
            environment=worker_environment(settings.threads),
            ready="/props",
            port_taken=_PORT_TAKEN,
            advice="Is the model whole? `polystack models` shows what there is.",
            without=_FOREIGN,
        )
        return start_openai(
            launch, settings, log, StreamClient(prepare_stream_client(quiet)), describe
        )


def server_arguments(settings: LaunchSettings, port: int) -> list[str | Path]:
    """The words after the program: what the binding has, and no more."""
    how = LOADING[settings.precision]
    return [
        settings.model.folder,
        *("--port", str(port), "--slots", str(settings.slots)),
        *("--chat-template", _TEMPLATE, "--dtype", how.dtype),
        *(("--isq", how.isq) if how.isq else ()),
    ]


def request_body(request: GenerateRequest, *, streamed: bool = True) -> bytes:
    """The JSON of a request: the text as it is, greedy; streamed, with the id of each token."""
    return json.dumps(
        {
            "model": _GOES_ON if request.ignore_end_of_sequence else _ENDS,
            "messages": [{"role": "user", "content": request.prompt_text}],
            "max_tokens": request.new_tokens,
            "temperature": 0.0,
            "logprobs": streamed,
            "top_logprobs": 1,
            "stream": streamed,
        }
    ).encode()


def piece_of(choice: Mapping[str, Any]) -> Piece:
    """What a choice carries; the log-probabilities are of one token."""
    text = (choice.get("delta") or {}).get("content") or ""
    listed = (choice.get("logprobs") or {}).get("top_logprobs") or ()
    return Piece(text=text, ids=tuple(int(each["token"]) for each in listed[:1]))


def describe_server(
    build: MistralRsServerBuild, props: Mapping[str, Any], settings: LaunchSettings
) -> EngineDescription:
    """What it is, by its build and by its own words."""
    facts = facts_of(build.made, str(props["dtype"]), LOADING[settings.precision])
    return EngineDescription(
        version=build.made.version,
        build={
            **facts,
            "source": f"{facts['source']}, mistralrs-server-core {build.made.version}",
            "threads that compute": str(props["threads"]),
            "slots": str(props["slots"]),
        },
    )


ENGINE = MistralRsServerEngine()
