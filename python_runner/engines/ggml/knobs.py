"""The knobs of stacks on ggml: how it is compiled, and how it is run.

Only what really differs between the builds of this workbench has a knob, so that each
difference can be changed alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from python_runner.engines.build.ggml import LLAMA_CPP, OLLAMA, GgmlOptions
from python_runner.engines.build.llamacpp_variant import LlamaBuild
from python_runner.engines.variants import one_of

_ON_OFF = ("on", "off")
_FLAGS = "baseline"
_OPENMP = {"openmp": "OpenMP's threads instead of ggml's own: on or off"}
_REPACK = {"repack": "laying weights out anew for the CPU, of some quantised types: on or off"}

LLAMA_KNOBS: Mapping[str, str] = MappingProxyType(
    {
        "flags": "compiled for: baseline (every CPU of its architecture, no AVX)",
        **_OPENMP,
        **_REPACK,
        "sgemm": "llamafile's matrix multiplication: on or off",
        "pool": "threads kept from token to token, where OpenMP is off: on or off",
        "mmap": "computing with the pages of the weights' file: on or off",
        "like": "defines and threads of: ollama",
        "source": "source and defines of: ollama (the llama.cpp inside its Go module)",
    }
)
"""Name of each knob of llama.cpp in process, to what it does and which values it takes."""

OLLAMA_KNOBS: Mapping[str, str] = MappingProxyType(
    {
        "flags": "compiled for: baseline (what `go build` gives without CGO_CFLAGS: no AVX)",
        **_OPENMP,
        **_REPACK,
        "like": "defines of: llama.cpp",
    }
)
"""The same for what is compiled by cgo from Ollama's module."""


@dataclass(frozen=True, kw_only=True)
class LlamaVariant:
    """How llama.cpp in process is compiled and run."""

    build: LlamaBuild = field(default_factory=LlamaBuild)
    keeps_threads: bool = True
    """Whether it is handed a pool of threads that lives as long as the model."""
    maps_file: bool = True


def llama_variant(knobs: Mapping[str, str]) -> LlamaVariant:
    """llama.cpp with these knobs; what `like` and `source` bring can be turned back by others.

    Raises UsageError for a value that a knob does not take.
    """
    found = LlamaVariant()
    likes = [one_of(knob, knobs[knob], ("ollama",)) for knob in ("like", "source") if knob in knobs]
    if likes:
        found = replace(
            found,
            build=LlamaBuild(ggml=OLLAMA, is_ollamas="source" in knobs),
            keeps_threads=False,
        )
    return replace(
        found,
        build=replace(found.build, ggml=_turned(found.build.ggml, knobs)),
        keeps_threads=_switch("pool", knobs, usual=found.keeps_threads),
        maps_file=_switch("mmap", knobs, usual=found.maps_file),
    )


def ollama_options(knobs: Mapping[str, str]) -> GgmlOptions:
    """How ggml inside Ollama is compiled with these knobs. Raises UsageError."""
    if "like" in knobs:
        one_of("like", knobs["like"], ("llama.cpp",))
        return _turned(LLAMA_CPP, knobs)
    return _turned(OLLAMA, knobs)


def words(knobs: Mapping[str, str]) -> list[str]:
    """What a title says of these knobs."""
    return [
        _WORDS.get((knob, value), f"{_NAMES.get(knob, knob)} {value}")
        for knob, value in knobs.items()
    ]


def _turned(options: GgmlOptions, knobs: Mapping[str, str]) -> GgmlOptions:
    if "flags" in knobs:
        one_of("flags", knobs["flags"], (_FLAGS,))
    return replace(
        options,
        is_baseline="flags" in knobs,
        openmp=_switch("openmp", knobs, usual=options.openmp),
        repack=_switch("repack", knobs, usual=options.repack),
        sgemm=_switch("sgemm", knobs, usual=options.sgemm),
    )


def _switch(knob: str, knobs: Mapping[str, str], *, usual: bool) -> bool:
    return one_of(knob, knobs[knob], _ON_OFF) == "on" if knob in knobs else usual


_NAMES = {"openmp": "OpenMP", "repack": "repacking", "pool": "thread pool"}
_WORDS: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("flags", _FLAGS): "baseline flags",
        ("like", "ollama"): "defines as in Ollama",
        ("like", "llama.cpp"): "defines as in llama.cpp",
        ("source", "ollama"): "Ollama's source",
    }
)
