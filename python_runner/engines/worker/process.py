"""The process in which an embedded engine runs: `python -m python_runner.engines.worker.process`.

It reads messages (`wire`) from one pipe and answers on another. Standard output and error
are left to the libraries, which print there, and go to the engine's log.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable
from importlib import import_module
from typing import BinaryIO

from python_runner.common.errors import EngineStartError, GenerationError, PolystackError
from python_runner.engines.contract import LaunchSettings
from python_runner.engines.scoring import ScoreRequest, TokenScores
from python_runner.engines.worker import wire
from python_runner.engines.worker.in_process import InProcessModel, MeasuresStamps, ScoresTokens


def serve(incoming: BinaryIO, outgoing: BinaryIO) -> None:
    """Obey messages until one says quit or the workbench is gone, then free the model."""
    session = _Session()
    try:
        for line in incoming:
            message = wire.decode(line)
            if isinstance(message, wire.Quit):
                return
            outgoing.write(wire.encode(session.answer(message)))
            outgoing.flush()
    finally:
        session.close()


class _Session:
    """The model of this process and what is done with it."""

    def __init__(self) -> None:
        self._model: InProcessModel | None = None
        self._context = 0

    def answer(self, message: wire.Message) -> wire.Message:
        """What to send back; a failure of the engine is an answer too."""
        loading = isinstance(message, wire.Load)
        try:
            return self._obey(message)
        except PolystackError as error:
            return wire.Failure(kind=type(error).__name__, message=error.message, hint=error.hint)
        except Exception as error:  # whatever a library raises is told, and the log has it all
            traceback.print_exc()
            return wire.Failure(
                kind=(EngineStartError if loading else GenerationError).__name__,
                message=f"{type(error).__name__}: {_first_line(error)}",
                hint="",
            )

    def close(self) -> None:
        if self._model is not None:
            self._model.close()

    def _obey(self, message: wire.Message) -> wire.Message:
        if isinstance(message, wire.Load):
            self._context = message.settings.context
            self._model = _loader(message.loader)(message.settings)
            return wire.Ready()
        if self._model is None:
            raise EngineStartError(f"{type(message).__name__} came before the model was loaded")
        if isinstance(message, wire.Describe):
            return wire.Described(description=self._model.description)
        if isinstance(message, wire.Generate):
            _check_fits(message.request.prompt_ids, message.request.new_tokens, self._context)
            return wire.Generated(generation=self._model.generate(message.request))
        if isinstance(message, wire.Tokenize):
            return wire.TokenIds(ids=self._model.token_ids(message.text))
        if isinstance(message, wire.MeasureStamps):
            measured = self._model if isinstance(self._model, MeasuresStamps) else None
            return wire.StampCost(ns=measured.stamp_cost_ns() if measured else None)
        if isinstance(message, wire.Score):
            return wire.Scored(scores=self._score(self._model, message.request))
        raise wire.WireError(f"{type(message).__name__} is not for the worker")

    def _score(self, model: InProcessModel, request: ScoreRequest) -> TokenScores:
        if not isinstance(model, ScoresTokens):
            raise GenerationError("this engine cannot score tokens")
        if not request.prompt_ids or not request.answer_ids:
            raise GenerationError("to be scored, tokens have to follow others")
        _check_fits(request.prompt_ids, len(request.answer_ids), self._context)
        return model.score(request)


def _loader(name: str) -> Callable[[LaunchSettings], InProcessModel]:
    module, _, function = name.partition(":")
    load: Callable[[LaunchSettings], InProcessModel] = getattr(import_module(module), function)
    return load


def _check_fits(prompt_ids: tuple[int, ...], new_tokens: int, context: int) -> None:
    """The libraries differ in what they do beyond the context; none of them may get there."""
    needed = len(prompt_ids) + new_tokens
    if needed > context:
        raise GenerationError(
            f"{len(prompt_ids)} prompt tokens and {new_tokens} new ones are "
            f"{needed}, and the context has {context}",
            hint="Ask for a larger context, or for fewer tokens.",
        )


def _first_line(error: Exception) -> str:
    """Some libraries put a whole stack of native frames into the message."""
    return (str(error).splitlines() or [""])[0]


def _private(descriptor: int) -> int:
    """The same pipe under a descriptor that child processes do not inherit.

    A helper process of a library must not hold the pipes open after this process died:
    the workbench learns of the death by their end.
    """
    duplicate = os.dup(descriptor)
    os.close(descriptor)
    return duplicate


def main() -> None:
    """Serve on the two file descriptors that the command line names."""
    incoming_fd, outgoing_fd = (_private(int(word)) for word in sys.argv[1:3])
    # Ctrl-C is the workbench's business: it keeps the finished samples and then stops us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with os.fdopen(incoming_fd, "rb") as incoming, os.fdopen(outgoing_fd, "wb") as outgoing:
        serve(incoming, outgoing)


if __name__ == "__main__":
    main()
