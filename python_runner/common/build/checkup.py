"""What `polystack doctor` says of compilers and of the CPU's instruction sets."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator

from python_runner.common.build.commands import tool_version
from python_runner.common.build.cpu import cpu_flags, probed
from python_runner.common.build.probe import Outcome, names_with
from python_runner.common.build.toolchain import (
    c_compilers,
    cmake_and_ninja,
    go_tool,
    rust_version,
)
from python_runner.common.checkup import Finding, State
from python_runner.common.errors import ToolMissingError

_TOOLS: tuple[tuple[str, str, Callable[[str], str]], ...] = (
    ("C++", "llama.cpp, Ollama", lambda purpose: c_compilers(purpose).version),
    (
        "CMake",
        "llama.cpp",
        lambda purpose: tool_version([cmake_and_ninja(purpose)[0], "--version"]),
    ),
    (
        "Ninja",
        "llama.cpp",
        lambda purpose: tool_version([cmake_and_ninja(purpose)[1], "--version"]),
    ),
    ("Go", "Ollama", lambda purpose: tool_version([go_tool(purpose), "version"])),
    ("Rust", "the stream client", rust_version),
)
_BAD = (Outcome.DIES, Outcome.REFUSED, Outcome.UNKNOWN, Outcome.UNCLEAR)


class ToolsCheckup:
    """Compilers and build tools. Implements `checkup.Checkup`."""

    title = "Tools"

    def look(self) -> Iterator[Finding]:
        yield Finding(
            subject="Python", state=State.READY, detail=f"Python {platform.python_version()}"
        )
        for subject, purpose, ask in _TOOLS:
            try:
                yield Finding(subject=subject, state=State.READY, detail=ask(purpose))
            except ToolMissingError as error:
                yield Finding(
                    subject=subject, state=State.MISSING, detail=error.message, mend=error.hint
                )


class CpuCheckup:
    """Which instruction sets are listed, work, and are compiled for."""

    title = "CPU flags"

    def look(self) -> Iterator[Finding]:
        outcomes = probed()
        flags = cpu_flags()
        if not outcomes:
            yield Finding(
                subject="instruction sets",
                state=State.NOTE,
                detail=f"not tried here; the compilers are told {' '.join(flags.c)}",
            )
            return
        works = names_with(outcomes, Outcome.WORKS)
        yield Finding(
            subject="listed and work",
            state=State.READY,
            detail=" ".join(name for name in outcomes if name in works),
        )
        for bad in _BAD:
            if names := [name for name in outcomes if outcomes[name] is bad]:
                yield Finding(subject=bad.value, state=State.NOTE, detail=" ".join(names))
        if left_out := switched_off(flags.c):
            yield Finding(
                subject="not compiled for",
                state=State.NOTE,
                detail=f"{left_out} (AMX never is: docs/engines/README.md)",
            )


def switched_off(flags: tuple[str, ...]) -> str:
    """The sets that these flags for C switch off, separated by spaces."""
    return " ".join(flag.removeprefix("-mno-") for flag in flags if flag.startswith("-mno-"))
