"""What the words of `polystack load` mean, as keys of a study's table `[load]`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from python_runner.common.errors import UsageError

_LEAST_REQUESTS = 80
_REQUESTS_PER_USER = 5
_WARMUP_SHARE = 5

_Number = TypeVar("_Number", int, float)


def numbers(text: str, kind: Callable[[str], _Number], option: str) -> tuple[_Number, ...]:
    """`10,50` as numbers. Raises UsageError."""
    try:
        return tuple(kind(part) for part in text.split(","))
    except ValueError as error:
        raise UsageError(
            f"{option} {text}: not a list of numbers", hint=f"Write {option} 10 or {option} 2,5."
        ) from error


def table_of(*parts: Mapping[str, object]) -> dict[str, object]:
    """All parts as one table. Raises UsageError if its targets are none."""
    from python_runner.study import parse_slo

    table = {name: value for part in parts for name, value in part.items()}
    slo = table.pop("slo", None)
    for name in ("slots", "ignore_eos", "keep_answers"):
        if table.get(name) is None:
            table.pop(name, None)
    return table if slo is None else {**table, "slo": parse_slo(str(slo))}


def shape_keys(*, users: str | None, rate: str | None, arrivals: str | None) -> dict[str, object]:
    """The keys that say which loop it is; None takes a key of the study away.

    Raises UsageError if both loops are asked for.
    """
    if users is not None and rate is not None:
        raise UsageError(
            "--users is a closed loop and --rate an open one", hint="Give one of the two."
        )
    if users is not None and arrivals is not None:
        raise UsageError(
            "--arrivals is of an open loop", hint="Give --rate with it, or leave it out."
        )
    keys: dict[str, object] = {} if arrivals is None else {"arrivals": arrivals}
    if users is not None:
        keys |= {"users": numbers(users, int, "--users"), "rate": None}
    if rate is not None:
        keys |= {"rate": numbers(rate, float, "--rate"), "users": None}
    return keys


def length_keys(
    *, users: str | None, requests: int | None, duration: str | None, warmup: int | None
) -> dict[str, object]:
    """The keys that say when a level ends; None takes a key of the study away."""
    from python_runner.study import parse_duration

    keys: dict[str, object] = {}
    if users is not None and requests is None and duration is None:
        most = max(numbers(users, int, "--users"))
        requests = max(_LEAST_REQUESTS, _REQUESTS_PER_USER * most)
    if requests is not None or duration is not None:
        seconds = None if duration is None else parse_duration(duration)
        keys |= {"requests": requests, "duration_s": seconds}
        if warmup is None:
            warmup = 0 if requests is None else max(0, requests // _WARMUP_SHARE)
    if warmup is not None:
        keys["warmup"] = warmup
    return keys


def prompt_keys(prompts: str | None, shared_prefix: int | None) -> dict[str, object]:
    """The keys that say what is asked. Raises UsageError for a file that is not there."""
    if prompts is None:
        shared = {"kind": "synthetic", "shared_prefix_tokens": shared_prefix}
        return {"prompts": shared} if shared_prefix is not None else {}
    if shared_prefix is not None:
        raise UsageError(
            "--shared-prefix is for synthetic prompts", hint="Leave --prompts or it out."
        )
    if not prompts.strip():
        raise UsageError("--prompts is empty", hint="Give a text, or the path of a file.")
    path = Path(prompts)
    if _is_file(path):
        return {"prompts": {"kind": "file", "file": prompts}}
    if path.suffix in {".txt", ".jsonl", ".ndjson", ".json", ".csv"}:
        raise UsageError(f"--prompts: there is no file {prompts}")
    return {"prompts": {"kind": "text", "text": prompts}}


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False  # a text too long for a name


def timed_keys(**options: str | None) -> dict[str, object]:
    """Durations under the keys of the study: `ramp="10s"` as `ramp_s`. Raises UsageError."""
    from python_runner.study import parse_duration

    return {f"{name}_s": parse_duration(text) for name, text in options.items() if text is not None}
