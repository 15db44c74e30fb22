"""Which instructions native parts are compiled for: one answer for every stack.

A stack compiled for a plain CPU is several times slower than one compiled for this CPU,
whatever its language. So every part that we compile gets what the processor lists and what
works when it is tried (`probe`), minus AMX: it works in some programs and kills others
(SIGILL), and a comparison must not hang on which.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from python_runner.common.build.instructions import INSTRUCTION_SETS, without
from python_runner.common.build.probe import Outcome, names_with, probe_cpu
from python_runner.common.build.toolchain import c_compilers
from python_runner.common.errors import ToolMissingError

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
_AMX = frozenset(found.name for found in INSTRUCTION_SETS if found.is_amx)


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
    """What the processor lists and runs; empty where the compiler alone decides.

    Belongs into every build's recipe: "native" is another thing on another machine, and a
    cache may be shared by several.
    """

    def recipe(self) -> dict[str, list[str]]:
        """All of it in JSON's types, for a build's recipe."""
        return {
            "ggml": list(self.ggml),
            "c": list(self.c),
            "rust": list(self.rust),
            "instruction_sets": list(self.instruction_sets),
        }


def recipe_in_words(cpu: Mapping[str, list[str]]) -> dict[str, str]:
    """What a build's recipe (`CpuFlags.recipe`) says of flags, for tables of results."""
    return {
        "flags": " ".join(cpu["c"]),
        "compiled for": " ".join(cpu["instruction_sets"]) or "this CPU, as its compiler sees it",
    }


def cpu_flags() -> CpuFlags:
    """The flags for the machine that this runs on."""
    return flags_for(_cpuinfo(), machine=platform.machine(), outcomes=probed())


def lacks(instruction_set: str) -> bool:
    """Whether this CPU is known not to have a set, by its name in /proc/cpuinfo."""
    listed = _listed_features(_cpuinfo())
    return bool(listed) and instruction_set not in listed


def probed() -> Mapping[str, Outcome]:
    """What became of each set that this CPU lists; empty where that cannot be tried.

    Tried once for a CPU and a compiler, in about a second, and known from then on.
    """
    listed = _listed_features(_cpuinfo())
    if platform.machine().lower() not in _X86 or not listed:
        return {}
    try:
        return probe_cpu(listed, c_compilers("finding out what this CPU runs"))
    except ToolMissingError:
        return {}  # whatever is to be compiled says so itself


def flags_for(
    cpuinfo: str, *, machine: str, outcomes: Mapping[str, Outcome] | None = None
) -> CpuFlags:
    """The flags for a processor.

    A machine where everything works gets the same flags as one where nothing was tried: a
    build of the one is a build of the other.

    Args:
        cpuinfo: the text of Linux's /proc/cpuinfo; empty on another system.
        machine: the architecture as `platform.machine()` names it.
        outcomes: what became of the sets when they were tried; what was not tried is taken
            to work.
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
    found = outcomes or {}
    unknown = names_with(found, Outcome.UNKNOWN)
    lost = without(names_with(found, Outcome.DIES, Outcome.REFUSED) | unknown | _AMX)
    usable = _less(listed, lost)
    return CpuFlags(
        ggml=_ggml_arguments(usable),
        # The compiler would refuse to switch off what it does not know.
        c=("-O3", "-march=native", *(f"-mno-{name}" for name in _options(listed & lost - unknown))),
        rust=_rust_flags(_options(listed & lost)),
        instruction_sets=tuple(sorted(f for f in usable if _matters(f))),
    )


def _less(listed: frozenset[str], lost: frozenset[str]) -> frozenset[str]:
    """What is left. Sets of AVX-512 that our table does not have go with AVX-512 itself."""
    kept = listed - lost
    if "avx512f" in lost:
        kept = frozenset(name for name in kept if not name.startswith("avx512"))
    return kept


def _options(names: frozenset[str]) -> tuple[str, ...]:
    """How compilers call these sets, in the order of the table."""
    return tuple(found.option for found in INSTRUCTION_SETS if found.name in names)


def _cpuinfo() -> str:
    return _CPUINFO.read_text(encoding="utf-8") if _CPUINFO.is_file() else ""


def _listed_features(cpuinfo: str) -> frozenset[str]:
    """The words of the first `flags` line; all cores of a machine list the same."""
    for line in cpuinfo.splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "flags":
            return frozenset(value.split())
    return frozenset()


def _ggml_arguments(usable: frozenset[str]) -> tuple[str, ...]:
    # All options are written out: without NATIVE, ggml takes some for granted.
    chosen = {option: usable.issuperset(needed) for option, needed in _GGML_OPTIONS}
    chosen.update(dict.fromkeys(_GGML_AMX_OPTIONS, False))
    switches = (f"-D{option}={'ON' if is_on else 'OFF'}" for option, is_on in chosen.items())
    return ("-DGGML_NATIVE=OFF", *switches)


def _rust_flags(switched_off: tuple[str, ...]) -> tuple[str, ...]:
    native = ("-Ctarget-cpu=native",)
    if not switched_off:
        return native
    return (*native, "-Ctarget-feature=" + ",".join(f"-{name}" for name in switched_off))


def _matters(feature: str) -> bool:
    return feature in {"fma", "f16c", "bmi2", "gfni"} or feature.startswith(("sse4", "avx"))
