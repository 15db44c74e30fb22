"""Both readers, and what an answer comes to in each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from python_runner.analyse.latency import judge
from python_runner.common.errors import GenerationError
from python_runner.engines.contract import (
    Dialect,
    Endpoint,
    GenerateRequest,
    Generation,
    StopReason,
)
from python_runner.engines.hf import serve as hf_serve
from python_runner.engines.llama import protocol as llama_protocol
from python_runner.engines.mistralrs import server as mistralrs_server
from python_runner.engines.ollama import answer as ollama_answer
from python_runner.engines.outside import answer as outside
from python_runner.engines.served import openai_protocol as openai
from python_runner.engines.served.load_client import LoadClient, Sending
from python_runner.engines.served.openai_protocol import Dialogue
from python_runner.engines.served.streaming import Framing, Stream, StreamClient
from tests.faults.wire.spoken import OLLAMA, TEXTS

TITLE = "the server"
TIMEOUT_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What an answer came to."""

    is_good: bool
    tokens: int = 0
    text: str = ""
    chunks: int = 0
    sizes: tuple[int, ...] = ()
    ended_itself: bool = False
    why: str = ""
    """The failure in words; its hint."""
    hint: str = ""
    chunk_ns: tuple[int, ...] = ()

    @property
    def compared(self) -> tuple[object, ...]:
        """What both readers have to agree about."""
        return (self.is_good, self.tokens, self.text, self.chunks, self.sizes)


def _of_completions(stream: Stream, asked: int) -> Generation:
    dialogue = Dialogue(title=TITLE, piece=hf_serve.piece_of)
    return openai.generation_of(stream, dialogue, new_tokens=asked)


def _of_chat(stream: Stream, asked: int) -> Generation:
    dialogue = Dialogue(title=TITLE, piece=mistralrs_server.piece_of)
    return openai.generation_of(stream, dialogue, new_tokens=asked)


def _of_ollama(stream: Stream, asked: int) -> Generation:
    return ollama_answer.generation_of(stream, new_tokens=asked)


def _of_llama(stream: Stream, asked: int) -> Generation:
    return llama_protocol.generation_of(stream, title=TITLE, new_tokens=asked)


ALONE: Mapping[Dialect, Callable[[Stream, int], Generation]] = {
    Dialect.OPENAI_COMPLETIONS: _of_completions,
    Dialect.OPENAI_CHAT: _of_chat,
    Dialect.OLLAMA_GENERATE: _of_ollama,
    Dialect.LLAMA_COMPLETION: _of_llama,
}
"""How one request alone is read. Ollama's chat is only asked in loads."""


def framing_of(dialect: Dialect) -> Framing:
    return Framing.NDJSON if dialect in OLLAMA else Framing.SSE


@dataclass(frozen=True)
class Readers:
    """Ask a server in both ways."""

    folder: Path

    def load(self) -> None:
        """Make the native module importable."""
        StreamClient(self.folder)

    def alone(self, dialect: Dialect, url: str, *, timeout_s: float = TIMEOUT_S) -> Outcome:
        """One request by itself, as `compare` sends it to servers that it has started."""

        def ask() -> Generation:
            client = StreamClient(self.folder)
            stream = client.post(url, b"{}", framing=framing_of(dialect), timeout_s=timeout_s)
            return ALONE[dialect](stream, len(TEXTS))

        return outcome_of(ask)

    def in_load(self, dialect: Dialect, url: str, *, timeout_s: float = TIMEOUT_S) -> Outcome:
        """The same request by the client of loads, which servers of others are asked by, too."""
        endpoint = Endpoint(url=url, dialect=dialect, model="m")
        client = LoadClient(self.folder)
        sending = Sending(timeout_s=timeout_s, keep_text=True)

        def ask() -> Generation:
            record = outside.ask(client, endpoint, b"{}", sending)
            return outside.generation_of(record, endpoint, asked())

        return outcome_of(ask)


def asked() -> GenerateRequest:
    return GenerateRequest(prompt_text="x", prompt_ids=(), new_tokens=len(TEXTS))


def outcome_of(ask: Callable[[], Generation], *, tokens: int = len(TEXTS)) -> Outcome:
    """What it comes to in the end. Any exception but ours is a traceback, and fails the test."""
    try:
        found = ask()
    except GenerationError as error:
        return Outcome(is_good=False, why=error.message, hint=error.hint)
    sample = {
        "error": "",
        "output_tokens": found.output_tokens,
        "requested_tokens": tokens,
        "stop": found.stop,
        "chunk_ns": np.asarray(found.chunk_ns, dtype=np.int64),
        "requested_ns": found.requested_ns,
    }
    _, why = judge(sample)
    if why:
        return Outcome(is_good=False, why=why, hint="The row says why.")
    return Outcome(
        is_good=True,
        tokens=found.output_tokens,
        text=found.text,
        chunks=len(found.chunk_ns),
        sizes=found.chunk_tokens,
        ended_itself=found.stop is StopReason.END_OF_SEQUENCE,
        chunk_ns=found.chunk_ns,
    )
