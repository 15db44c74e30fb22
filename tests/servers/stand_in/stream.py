"""An answer as the messages of a stream, in the dialect's words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from tests.servers.stand_in.dialect import filled
from tests.servers.stand_in.known import Answer, Server

BREAKS = 66
"""A request for so many tokens fails in mid-stream."""
BROKEN = object()


def events(server: Server, body: dict[str, Any]) -> Iterator[Any]:
    """The messages of a stream. Raises RefusedError before the first."""
    answer, dialect = server.answer(body), server.dialect
    told = _Teller(server, body)
    if dialect.get("opening"):
        yield told.chunk("", (), None)
    usage = _usage_of(server, answer)
    together = 1 if dialect.get("one_a_chunk") else server.settings["together"]
    groups = list(_groups(answer, dialect, together))
    sent = ""
    pending: tuple[int, ...] = ()
    lost = dialect.get("last_has_no_text") and not answer.mark
    for number, group in enumerate(groups):
        is_last = number == len(groups) - 1
        done = sum(groups[: number + 1], ())
        words = server.text([each for each in done if each not in answer.mark])
        words = words if is_last or not words.endswith("\ufffd") else sent
        delta, sent = words[len(sent) :], words
        if dialect["mark"] == "text" and answer.mark and is_last:
            delta += server.text(answer.mark)
        if body.get("max_tokens") == BREAKS and number:
            yield BROKEN
            return
        pending += group
        if lost and is_last:
            break
        if dialect.get("skips_empty") and not delta:
            continue
        finish = _finish(dialect, answer) if is_last and dialect["finish_in"] == "last" else None
        yield told.chunk(delta, pending, finish, usage if is_last else None)
        pending = ()
    if dialect["mark"] == "empty" and answer.mark and not dialect.get("skips_empty"):
        yield told.chunk("", (), None)
    if dialect["finish_in"] == "own":
        yield told.chunk("", pending, _finish(dialect, answer))
    if "usage" in dialect and (body.get("stream_options") or {}).get("include_usage"):
        yield filled(
            json.loads(dialect["usage"]),
            {**told.values, **usage, "$FINISH": _finish(dialect, answer)},
        )


def _groups(answer: Answer, dialect: dict[str, Any], together: int) -> Iterator[tuple[int, ...]]:
    tokens = answer.tokens
    if answer.mark and dialect["mark"] in {"ids", "text"}:
        tokens += answer.mark
    for at in range(0, len(tokens), together):
        yield tokens[at : at + together]


def _finish(dialect: dict[str, Any], answer: Answer) -> str:
    reason = "stop" if answer.mark else "length"
    return str(dialect.get("stops", {}).get(reason, reason))


def _usage_of(server: Server, answer: Answer) -> dict[str, Any]:
    tokens = len(answer.tokens) + (len(answer.mark) if server.dialect["counts_mark"] else 0)
    if server.dialect.get("counts_text_again"):
        tokens = len(server.tokenizer.encode(server.text(answer.tokens[:-1])).ids)
    prompt = len(answer.prompt)
    return {"$PROMPT": prompt, "$TOKENS": tokens, "$TOTAL": prompt + tokens}


class _Teller:
    """Makes the chunks of one stream."""

    def __init__(self, server: Server, body: dict[str, Any]) -> None:
        self.server, self.dialect = server, server.dialect
        self.values = {"$MODEL": body.get("model") or server.name}
        if "ids_if" in self.dialect:
            self.has_ids = bool(body.get(self.dialect["ids_if"]))
        else:
            self.has_ids = body.get(self.dialect.get("ids_unless", "")) is False

    def chunk(
        self,
        text: str,
        tokens: Sequence[int],
        finish: str | None,
        usage: dict[str, Any] | None = None,
    ) -> Any:
        no_text = bool(self.dialect.get("ids_unless")) and self.has_ids
        values = {
            **self.values,
            "$TEXT": "" if no_text else text,
            "$IDS": list(tokens) if self.has_ids else None,
            "$PIECES": [self.server.text([each]) for each in tokens],
            "$FINISH": finish or self.dialect.get("no_finish"),
        }
        message = filled(json.loads(self.dialect["chunk"]), values)
        if self.dialect.get("leaves_out_nulls"):
            message["choices"] = [
                {k: v for k, v in each.items() if v is not None} for each in message["choices"]
            ]
        if usage and "usage_in_last" in self.dialect:
            message["usage"] = filled(json.loads(self.dialect["usage_in_last"]), usage)
        return message
