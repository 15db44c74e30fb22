"""Flags for no CPU in particular: what a build gets that nobody told about its machine."""

from __future__ import annotations

import platform

from python_runner.common.build.cpu import CpuFlags, flags_for

_PLAIN = "flags : sse4_2"
"""A /proc/cpuinfo that lists next to nothing."""


def baseline_flags(*, c: tuple[str, ...] = ("-O3",)) -> CpuFlags:
    """The flags of a build for every machine of this architecture: no AVX, no FMA.

    Args:
        c: what C and C++ get besides.
    """
    return CpuFlags(
        # Every option is written out: without NATIVE, ggml takes some for granted.
        ggml=tuple(word.replace("=ON", "=OFF") for word in _options()),
        c=c,
        rust=(),
        instruction_sets=(f"every {platform.machine()}",),
    )


def _options() -> tuple[str, ...]:
    return flags_for(_PLAIN, machine=platform.machine()).ggml
