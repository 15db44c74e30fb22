"""How ggml may be compiled: what differs between llama.cpp's build and Ollama's.

Both can be built with the other's defines, so that what they are worth can be measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class GgmlOptions:
    """Defines of a build of ggml."""

    openmp: bool
    """OpenMP's threads instead of ggml's own."""
    repack: bool
    """Quantised weights may be laid out anew for the CPU when they are loaded."""
    sgemm: bool = True
    """llamafile's matrix multiplication."""
    is_baseline: bool = False
    """Compiled for every CPU of the architecture instead of for this one."""

    def switches(self) -> dict[str, str]:
        """Names and values of CMake's options for it."""
        options = {
            "GGML_OPENMP": self.openmp,
            "GGML_CPU_REPACK": self.repack,
            "GGML_LLAMAFILE": self.sgemm,
        }
        return {name: "ON" if is_on else "OFF" for name, is_on in options.items()}

    def recipe(self) -> dict[str, object]:
        """All of it in JSON's types, for a build's recipe."""
        return {**self.switches(), "baseline": self.is_baseline}


LLAMA_CPP = GgmlOptions(openmp=True, repack=True)
"""What llama.cpp's CMake chooses."""
OLLAMA = GgmlOptions(openmp=False, repack=False)
"""What the `#cgo` lines of Ollama's module choose."""


def cgo_defines(options: GgmlOptions) -> Mapping[str, tuple[str, ...]]:
    """What cgo must be given besides, by variable, for a build of Ollama with these options.

    `sgemm` cannot be taken away: the module's own lines come after those of the environment.
    """
    openmp = ("-fopenmp",) if options.openmp else ()
    return {
        "CGO_CPPFLAGS": (
            *(("-DGGML_USE_OPENMP",) if options.openmp else ()),
            *(("-DGGML_USE_CPU_REPACK",) if options.repack else ()),
        ),
        "CGO_CFLAGS": openmp,
        "CGO_CXXFLAGS": openmp,
        "CGO_LDFLAGS": openmp,
    }
