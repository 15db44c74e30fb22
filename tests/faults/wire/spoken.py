"""How a server of each dialect says the same."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from python_runner.engines.contract import Dialect

PROMPT_TOKENS = 7
TEXTS = ("grö", "ße ", "😀", " 漢\n")
"""An answer of four tokens, of one, two, three and four bytes a character."""
_DONE = b"[DONE]"
_DURATIONS = {
    "total_duration": 900,
    "load_duration": 20,
    "prompt_eval_duration": 300,
    "eval_duration": 500,
}
OPENAI = (Dialect.OPENAI_COMPLETIONS, Dialect.OPENAI_CHAT)
OLLAMA = (Dialect.OLLAMA_GENERATE, Dialect.OLLAMA_CHAT)
SSE = (*OPENAI, Dialect.LLAMA_COMPLETION)
ALL = tuple(Dialect)


@dataclass(frozen=True)
class Spoken:
    """One dialect: documents, and events of them."""

    dialect: Dialect

    @property
    def is_sse(self) -> bool:
        return self.dialect not in OLLAMA

    @property
    def media_type(self) -> str:
        return "text/event-stream" if self.is_sse else "application/x-ndjson"

    def token(self, text: Any, **more: Any) -> dict[str, Any]:
        """A chunk with that text."""
        match self.dialect:
            case Dialect.OPENAI_COMPLETIONS:
                return {"id": "c", "choices": [{"text": text, "finish_reason": None}], **more}
            case Dialect.OPENAI_CHAT:
                delta = {"delta": {"content": text}, "finish_reason": None}
                return {"id": "c", "choices": [delta], **more}
            case Dialect.OLLAMA_GENERATE:
                return {"model": "m", "response": text, "done": False, **more}
            case Dialect.OLLAMA_CHAT:
                said = {"role": "assistant", "content": text}
                return {"model": "m", "message": said, "done": False, **more}
            case Dialect.LLAMA_COMPLETION:
                return {"content": text, "stop": False, **more}

    def ending(self, tokens: object = len(TEXTS)) -> list[dict[str, Any]]:
        """The documents at the end of an answer of so many tokens; None: it is not said."""
        match self.dialect:
            case Dialect.OPENAI_COMPLETIONS | Dialect.OPENAI_CHAT:
                last = self.token("")
                last["choices"][0]["finish_reason"] = "length"
                return [last] if tokens is None else [last, self.usage(tokens)]
            case Dialect.OLLAMA_GENERATE | Dialect.OLLAMA_CHAT:
                counts = {"prompt_eval_count": PROMPT_TOKENS, "eval_count": tokens}
                said = {"done": True, "done_reason": "length", **_DURATIONS}
                return [self.token("", **said, **(counts if tokens is not None else {}))]
            case Dialect.LLAMA_COMPLETION:
                counts = {"tokens_predicted": tokens, "tokens_evaluated": PROMPT_TOKENS}
                timings = {"prompt_n": PROMPT_TOKENS, "prompt_ms": 1.5, "predicted_ms": 2.5}
                said = {"stop": True, "stop_type": "limit", "timings": timings}
                more = counts if tokens is not None else {}
                return [{"content": "", **said, **more}]

    def usage(self, tokens: object) -> dict[str, Any]:
        """OpenAI's event of its own for the counts."""
        counts = {"prompt_tokens": PROMPT_TOKENS, "completion_tokens": tokens}
        return {"id": "c", "choices": [], "usage": counts}

    def event(self, said: Mapping[str, Any] | bytes, end: bytes = b"\n") -> bytes:
        """A document, or its bytes, as an event."""
        data = said if isinstance(said, bytes) else _json(said)
        return b"data: " + data + end * 2 if self.is_sse else data + end

    def tokens(self, texts: Sequence[Any] = TEXTS, end: bytes = b"\n") -> list[bytes]:
        """The events of these texts."""
        return [self.event(self.token(text), end) for text in texts]

    def end(self, tokens: object = len(TEXTS), end: bytes = b"\n") -> list[bytes]:
        """The events at the end."""
        return [self.event(said, end) for said in self.ending(tokens)] + self.mark(end)

    def mark(self, end: bytes = b"\n") -> list[bytes]:
        """The mark of the end, in dialects that have one."""
        return [self.event(_DONE, end)] if self.dialect in OPENAI else []

    def whole(self, end: bytes = b"\n") -> list[bytes]:
        """All events of a good answer."""
        return [*self.tokens(end=end), *self.end(end=end)]


def _json(said: Mapping[str, Any]) -> bytes:
    """As most servers write it: in UTF-8, no character escaped."""
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
