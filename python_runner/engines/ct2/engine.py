"""CTranslate2 in process: a library in C++, through the Python package of its project.

Where its tokens are stamped: the library calls back for each token of a greedy answer, in the
thread that decodes, when the token has been chosen and before the next pass. Its
`generate_tokens` takes the same callback, but hands the tokens to another thread through a
queue, so stamps behind it would be later than the tokens.

A prompt is given as pieces of the vocabulary, one for each id. All of them but the last go
through the model at once, the last one by itself, as the first step of decoding.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from types import MappingProxyType

from python_runner.common.errors import EngineStartError, SetupError
from python_runner.common.progress import Progress
from python_runner.common.variants import knobs_of
from python_runner.engines.contract import (
    EngineSpec,
    Language,
    LaunchSettings,
    Reach,
    Shipped,
    WeightFormat,
)
from python_runner.engines.ct2.facts import (
    INT8,
    MKL_VARIABLE,
    ONEDNN_VARIABLE,
    facts_of,
    left_out,
    watch_log,
    window_of,
)
from python_runner.engines.ct2.model import PACKAGE, Ct2Model
from python_runner.engines.mistralrs.engine import end_ids
from python_runner.engines.variants import one_of, variant_spec
from python_runner.engines.worker.embedded import EmbeddedEngine
from python_runner.models import ReferenceTokenizer

_LOGGING_INFO = 20
_COMPUTE_TYPE: Mapping[str, str] = MappingProxyType({"bf16": "float32", "int8": "int8"})
"""What is computed with, by the kind of folder. It has no product of bf16 on a CPU."""

_F32 = WeightFormat(name="f32", bits=32, memory_per_weight_byte=4.2, ct2="bf16")
_UNPACKED: Mapping[str, float] = MappingProxyType({"bf16": 2.2, "int8": 0.7})
"""Memory per byte of weights by the kind of folder, where nothing is packed."""

SPEC = EngineSpec(
    name="ctranslate2",
    title="CTranslate2",
    language=Language.CPP,
    reach=Reach.EMBEDDED,
    formats={
        # Packing lays all matrices out anew while they are still there as they were read.
        "bf16": _F32,
        "8bit": WeightFormat(name=INT8, bits=8, memory_per_weight_byte=1.1, ct2="int8"),
        # Converter and library without a word: the type of the checkpoint, then what the CPU can.
        "shipped": _F32,
    },
    model_format="ctranslate2",
    can_ignore_end_of_sequence=True,
    reports_token_ids=True,
    takes_token_ids=True,
    shipped=Shipped(every_processor=True, most_threads=4),
    scores=True,
)

_KNOBS: Mapping[str, str] = MappingProxyType(
    {
        "isa": "instruction set of its own kernels, not of the products: generic, avx, avx2, "
        "avx512",
        "mkl": "Intel's MKL for the products, else oneDNN: on or off",
        "packed": "laying weights out anew for MKL, at twice the memory while loading: on or off",
    }
)
_TURNED: Mapping[str, tuple[str, Mapping[str, str], str]] = MappingProxyType(
    {
        "isa": (
            "CT2_FORCE_CPU_ISA",
            {word: word.upper() for word in ("generic", "avx", "avx2", "avx512")},
            "own kernels in {}",
        ),
        "mkl": ("CT2_USE_MKL", {"on": "1", "off": "0"}, "MKL {}"),
        "packed": ("CT2_PACKED_GEMM", {"on": "1", "off": "0"}, "packing {}"),
    }
)
"""Of each knob: the variable, what it is set to for each value, and the words of the title."""


def prepare(progress: Progress) -> None:
    """Nothing is built; raises SetupError if the package is not installed."""
    try:
        version(PACKAGE)
    except PackageNotFoundError as error:
        raise SetupError(
            f"the Python package {PACKAGE} is not installed",
            hint="Install polystack with its dependencies, as the README says.",
        ) from error


def environment(settings: LaunchSettings) -> Mapping[str, str]:
    """Keep the libraries of products to the instruction sets that the other stacks use.

    Both would take AMX tiles where the CPU lists them. A value that the user has set is left
    alone, and is recorded.
    """
    return {
        MKL_VARIABLE: os.environ.get(MKL_VARIABLE, "AVX512_E3"),
        ONEDNN_VARIABLE: os.environ.get(ONEDNN_VARIABLE, "AVX512_CORE_BF16"),
    }


def load(settings: LaunchSettings) -> Ct2Model:
    """Load the model in the current process. Raises EngineStartError."""
    kind = SPEC.formats[settings.precision].ct2
    folder = settings.model.ct2.get(kind)
    if folder is None:
        raise EngineStartError(f"{settings.model.name} was not converted for CTranslate2 ({kind})")
    import ctranslate2

    tokenizer = ReferenceTokenizer(settings.model.folder)
    ctranslate2.set_log_level(_LOGGING_INFO)
    log = watch_log()
    try:
        generator = ctranslate2.Generator(
            str(folder),
            device="cpu",
            compute_type=_COMPUTE_TYPE[kind],
            inter_threads=1,
            intra_threads=settings.threads,
        )
        pieces = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
    except (OSError, RuntimeError, ValueError) as error:
        raise EngineStartError(
            f"CTranslate2: {error}", hint=f"Remove {folder} and run again: it is made anew."
        ) from error
    return Ct2Model(
        generator,
        pieces=pieces,
        tokenizer=tokenizer,
        end_ids=end_ids(settings.model.folder),
        window=window_of(settings.model.folder),
        # What is in files is asked for later: reading them is no part of loading the model.
        build=lambda: {
            **facts_of(generator.compute_type, folder, log()),
            "threads": str(settings.threads),
            **left_out(settings.model.folder),
        },
    )


class Ct2Engine(EmbeddedEngine):
    """CTranslate2 in a worker. Implements `contract.Engine` and `Tunable`."""

    knobs: Mapping[str, str] = _KNOBS

    def __init__(self, spec: EngineSpec = SPEC) -> None:
        super().__init__(
            spec=spec,
            prepare=prepare,
            loader="python_runner.engines.ct2.engine:load",
            environment=lambda settings: {**environment(settings), **_variables(spec.name)},
        )

    def tuned(self, knobs: Mapping[str, str]) -> Ct2Engine:
        """With these knobs besides those that are turned already. Raises UsageError."""
        words = []
        for knob, value in knobs.items():
            _, allowed, said = _TURNED[knob]
            words.append(said.format(one_of(knob, value, tuple(allowed))))
        spec = variant_spec(self.spec, knobs, words)
        if "off" in (knobs.get("packed"), knobs.get("mkl")):
            formats = {
                word: replace(each, memory_per_weight_byte=_UNPACKED[each.ct2])
                for word, each in spec.formats.items()
            }
            spec = replace(spec, formats=formats)
        return Ct2Engine(spec)


def _variables(name: str) -> dict[str, str]:
    """What the knobs in a stack's name come to."""
    turned = {knob: value for knob, value in knobs_of(name).items() if knob in _TURNED}
    return {_TURNED[knob][0]: _TURNED[knob][1][value] for knob, value in turned.items()}


ENGINE = Ct2Engine()
