"""Runs that reports must be able to show, the ugly ones above all."""

from __future__ import annotations

from collections.abc import Callable

from tests.golden.frames import (
    FOUR,
    LLAMA_CPP,
    MISTRAL_RS,
    OLLAMA,
    TRANSFORMERS,
    FakeStack,
    Frames,
    build_frames,
    rename,
)

_NAN = float("nan")
_CRASH = "signal SIGILL (illegal instruction) while loading the model; its log says more"
_TINY = {"model": "gemma-2-tiny", "model_label": "Gemma-2 tiny, trained", "is_synthetic": False}
_LONG = rename(
    LLAMA_CPP,
    name="long",
    title="an-engine-with-a-very-long-name-that-has-no-space-in-it-anywhere",
    version="b6123 (commit 0123456789abcdef0123456789abcdef01234567), with $x_1$ and more words",
)


def four() -> Frames:
    """The usual run."""
    return build_frames(FOUR)


def seven() -> Frames:
    """Several stacks of one language, and of one language and path."""
    more = [
        rename(OLLAMA, name="ollama-new", title="Ollama, new engine", e2e_s=8.5),
        rename(MISTRAL_RS, name="mistral.rs", title="mistral.rs", version="0.8.1", e2e_s=7.7),
        rename(LLAMA_CPP, name="llama-server", title="llama-server", reach="served", e2e_s=8.0),
    ]
    return build_frames([*FOUR, *more])


def both_ways() -> Frames:
    """Two engines, each embedded and served."""
    server = rename(LLAMA_CPP, name="llama-server", title="llama-server", reach="served", e2e_s=9.9)
    serve = {"name": "transformers-serve", "title": "transformers serve", "reach": "served"}
    return build_frames([LLAMA_CPP, server, TRANSFORMERS, rename(TRANSFORMERS, **serve)])


def troubled() -> Frames:
    """Failures, early stops, a stack that broke off and one that never started."""
    return build_frames(
        [
            rename(LLAMA_CPP, samples_kept=5, error="signal SIGKILL (out of memory)"),
            rename(OLLAMA, failures={7: "timed out after 600 s"}, early_stops={3: 2, 4: 5}),
            MISTRAL_RS,
            broken(TRANSFORMERS),
        ],
        status="interrupted",
    )


def broken(stack: FakeStack) -> FakeStack:
    """`stack` as it is when it never started."""
    return rename(
        stack,
        error=_CRASH,
        samples_kept=0,
        version="",
        build={},
        load_seconds=_NAN,
        peak_memory_bytes=_NAN,
    )


CASES: dict[str, Callable[[], Frames]] = {
    "one": lambda: build_frames([LLAMA_CPP]),
    "two": lambda: build_frames([LLAMA_CPP, OLLAMA]),
    "four": four,
    "seven": seven,
    "both ways": both_ways,
    "close": lambda: build_frames([LLAMA_CPP, OLLAMA, TRANSFORMERS]),
    "troubled": troubled,
    "extreme": lambda: build_frames(
        [rename(LLAMA_CPP, e2e_s=0.001, **_TINY), rename(OLLAMA, e2e_s=100.0, **_TINY)]
    ),
    "milliseconds": lambda: build_frames(
        [rename(LLAMA_CPP, e2e_s=0.0012, **_TINY), rename(OLLAMA, e2e_s=0.0015, **_TINY)]
    ),
    "hours": lambda: build_frames([rename(LLAMA_CPP, e2e_s=12_345.0)]),
    "equal": lambda: build_frames([rename(stack, e2e_s=8.0, noise=0.0) for stack in FOUR]),
    "long names": lambda: build_frames([_LONG, OLLAMA, rename(_LONG, name="b", language="Rust")]),
    "single iteration": lambda: build_frames(FOUR, iterations=1, warmup=0),
    "many iterations": lambda: build_frames(FOUR, iterations=60),
    "only failures": lambda: build_frames([broken(stack) for stack in FOUR]),
    "only early stops": lambda: build_frames(
        [rename(OLLAMA, early_stops=dict.fromkeys(range(1, 11), 3))]
    ),
    "nothing started": lambda: build_frames([], status="interrupted"),
}
