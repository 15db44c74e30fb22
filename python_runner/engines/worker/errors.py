"""What is said of a worker that failed or was too slow."""

from __future__ import annotations

from pathlib import Path

from python_runner.common.errors import (
    EngineCrashError,
    EngineError,
    EngineStartError,
    GenerationError,
    RequestTimeoutError,
)
from python_runner.common.logs import tail
from python_runner.engines.contract import GenerateRequest
from python_runner.engines.worker import wire
from python_runner.engines.worker.idle import StalledError


def as_error(failure: wire.Failure, log: Path) -> EngineError:
    """The worker's failure as the exception that it names.

    An error that is not an engine's (a model that cannot be read, a library that is
    missing) is, seen from here, an engine that did not start.
    """
    kinds = {kind.__name__: kind for kind in (EngineStartError, EngineCrashError, GenerationError)}
    kind = kinds.get(failure.kind, EngineStartError)
    return kind(failure.message, hint=failure.hint or f"Its log: {log}")


def not_ready(title: str, limit_s: float, log: Path) -> EngineStartError:
    """It did not load its model in time."""
    return EngineStartError(
        f"{title} was not ready after {limit_s:g} s{_last_words(log)}",
        hint=f"Allow more time (start_timeout in the study). Its log: {log}",
    )


def out_of_time(
    error: TimeoutError, title: str, request: GenerateRequest, log: Path
) -> RequestTimeoutError:
    """It did not answer in time, or hung while it should."""
    if isinstance(error, StalledError):
        return RequestTimeoutError(
            f"{title} did not compute for {request.stall_timeout_s:g} s while answering, and was "
            f"ended{_last_words(log)}",
            hint=f"It hangs. If it only waits: stall_timeout in the study. Its log: {log}",
        )
    return RequestTimeoutError(
        f"{title} had no answer after {request.timeout_s:g} s, and was ended{_last_words(log)}",
        hint=f"Ask for fewer tokens or allow more time (timeout in the study). Its log: {log}",
    )


def _last_words(log: Path) -> str:
    """The end of the log, as the end of a message."""
    words = tail(log)
    return f":\n{words}" if words else ""
