"""Which instructions native parts are compiled for: one answer for every stack.

A stack compiled for a plain CPU is several times slower than one compiled for this CPU,
whatever its language. So every part that we compile gets what the processor has, minus AMX:
virtual machines list AMX in /proc/cpuinfo and then kill the program that uses it (SIGILL).
"""

from __future__ import annotations

import platform
from dataclasses import dataclass
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")
_X86 = ("x86_64", "amd64")
_ARM = ("aarch64", "arm64")

# ggml's CMake option and what the processor must list for it.
_GGML_OPTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("GGML_SSE42", ("sse4_2",)),
    ("GGML_AVX", ("avx",)),
    ("GGML_F16C", ("f16c",)),
    ("GGML_FMA", ("fma",)),
    ("GGML_BMI2", ("bmi2",)),
    ("GGML_AVX2", ("avx2",)),
    ("GGML_AVX_VNNI", ("avx_vnni",)),
    ("GGML_AVX512", ("avx512f", "avx512cd", "avx512vl", "avx512dq", "avx512bw")),
    ("GGML_AVX512_VBMI", ("avx512vbmi",)),
    ("GGML_AVX512_VNNI", ("avx512_vnni",)),
    ("GGML_AVX512_BF16", ("avx512_bf16",)),
)
_GGML_AMX_OPTIONS = ("GGML_AMX_TILE", "GGML_AMX_INT8", "GGML_AMX_BF16")
# Switching off the tile registers switches off everything that works on them.
_AMX_FEATURES = ("amx-tile", "amx-int8", "amx-bf16")


@dataclass(frozen=True, kw_only=True)
class CpuFlags:
    """What the compilers are told about this CPU."""

    ggml: tuple[str, ...]
    """CMake arguments for ggml: `-DGGML_NATIVE=OFF`, `-DGGML_AVX2=ON` and so on."""
    c: tuple[str, ...]
    """Flags for the C and C++ compilers, cgo's included."""
    rust: tuple[str, ...]
    """Flags for rustc: what belongs into RUSTFLAGS, joined by spaces."""
    instruction_sets: tuple[str, ...]
    """What the processor lists and the flags allow; empty where the compiler alone decides.

    Belongs into every build's recipe: "native" is another thing on another machine, and a
    cache may be shared by several.
    """

    def recipe(self) -> dict[str, object]:
        """All of it in JSON's types, for a build's recipe."""
        return {
            "ggml": list(self.ggml),
            "c": list(self.c),
            "rust": list(self.rust),
            "instruction_sets": list(self.instruction_sets),
        }


def cpu_flags() -> CpuFlags:
    """The flags for the machine that this runs on."""
    cpuinfo = _CPUINFO.read_text(encoding="utf-8") if _CPUINFO.is_file() else ""
    return flags_for(cpuinfo, machine=platform.machine())


def flags_for(cpuinfo: str, *, machine: str) -> CpuFlags:
    """The flags for a processor.

    Args:
        cpuinfo: the text of Linux's /proc/cpuinfo; empty on another system.
        machine: the architecture as `platform.machine()` names it.
    """
    listed = _listed_features(cpuinfo)
    if machine.lower() not in _X86 or not listed:
        native = "-mcpu=native" if machine.lower() in _ARM else "-march=native"
        return CpuFlags(
            ggml=("-DGGML_NATIVE=ON",),
            c=("-O3", native),
            rust=("-Ctarget-cpu=native",),
            instruction_sets=(),
        )
    has_amx = "amx_tile" in listed
    return CpuFlags(
        ggml=_ggml_arguments(listed),
        # Compilers too old to know AMX (GCC before 11) would refuse the flags, and they
        # are needed only where "native" means AMX: there such a compiler is out of place.
        c=("-O3", "-march=native", *(f"-mno-{name}" for name in _AMX_FEATURES if has_amx)),
        rust=_rust_flags(has_amx=has_amx),
        instruction_sets=tuple(sorted(f for f in listed if _matters(f))),
    )


def _listed_features(cpuinfo: str) -> frozenset[str]:
    """The words of the first `flags` line; all cores of a machine list the same."""
    for line in cpuinfo.splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "flags":
            return frozenset(value.split())
    return frozenset()


def _ggml_arguments(listed: frozenset[str]) -> tuple[str, ...]:
    # All options are written out: without NATIVE, ggml takes some for granted.
    chosen = {option: listed.issuperset(needed) for option, needed in _GGML_OPTIONS}
    chosen.update(dict.fromkeys(_GGML_AMX_OPTIONS, False))
    switches = (f"-D{option}={'ON' if is_on else 'OFF'}" for option, is_on in chosen.items())
    return ("-DGGML_NATIVE=OFF", *switches)


def _rust_flags(*, has_amx: bool) -> tuple[str, ...]:
    native = ("-Ctarget-cpu=native",)
    if not has_amx:
        return native
    return (*native, "-Ctarget-feature=" + ",".join(f"-{name}" for name in _AMX_FEATURES))


def _matters(feature: str) -> bool:
    return feature in {"fma", "f16c", "bmi2", "gfni"} or feature.startswith(("sse4", "avx"))
