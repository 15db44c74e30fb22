"""What an engine is: the types and Protocols that every stack stands behind.

Times are nanoseconds of CLOCK_MONOTONIC (`common.clock`). Token ids are those of the
model's own tokenizer. Prompts come rendered: whatever template applies has been applied
once, by the workbench, so that no engine can render it differently.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Protocol, runtime_checkable

from python_runner.common.progress import Progress
from python_runner.engines.served.at_once import Batching
from python_runner.models import Model


class Language(StrEnum):
    """The language a stack's serving code is written in."""

    CPP = "C++"
    GO = "Go"
    RUST = "Rust"
    PYTHON = "Python"
    NONE = "none"
    """For the mock, which is no stack at all."""


class Reach(StrEnum):
    """How requests get to the engine."""

    EMBEDDED = "embedded"
    """In process: the engine is a library inside our worker process."""
    SERVED = "served"
    """A server process and HTTP."""


class StopReason(StrEnum):
    """Why an answer ended."""

    LENGTH = "length"
    END_OF_SEQUENCE = "end-of-sequence"


WEIGHTS_IN_MEMORY = "weights in memory"
"""The fact in `EngineDescription.build` that says what the weights are held in."""


ACTIVATIONS = "activations"
"""The fact there that says what is computed with."""

WEIGHTS_BY_TYPE = "weights by type"
"""The fact there that says which share of the weights is held in what."""

KV_CACHE = "KV cache"
"""The fact there that says what keys and values are kept in."""

CONTEXT_MEMORY = "memory for the context"
"""The fact there that says when it is taken: `AT_LOAD` or `AS_NEEDED`."""

AT_LOAD = "for all of it, at the start"
AS_NEEDED = "as a request needs it"

FLASH_ATTENTION = "flash attention"
"""The fact there that says whether attention is computed in one pass, without its matrix."""

PROMPT_CACHE = "prompt cache"
"""The fact there that says whether what one prompt shares with another is kept: `off` or more."""


@dataclass(frozen=True, kw_only=True)
class WeightFormat:
    """What an engine makes of the weights. Formats of as many bits need not be the same."""

    name: str
    """As the field calls it: `bf16`, `Q8_0`, `int8 (torchao)`."""
    bits: int
    """Of one weight, without its share of scales."""
    memory_per_weight_byte: float | None
    """Peak memory over the size of the weights in bf16, as it was seen: for the check before a
    run, so rather too small than too large. None: not seen, and not checked."""
    gguf: str = ""
    """The type of GGUF file that it is read from, one of `models.gguf.TYPES`; empty: it is made
    of the safetensors."""
    ct2: str = ""
    """The kind of CTranslate2's folder that it is read from, one of `models.ct2.KINDS`."""
    gptq: bool = False
    """Whether it is read from a checkpoint that was quantised by GPTQ (`models.gptq`)."""


@dataclass(frozen=True, kw_only=True)
class Shipped:
    """What an engine takes where its user sets nothing, besides the weights (`formats`)."""

    context: int | None = None
    """Tokens; None: as many as the model is made for."""
    every_processor: bool = False
    """Whether it takes a thread for each logical processor; else one for each physical core."""
    most_threads: int | None = None
    """It takes no more of them than that."""


@dataclass(frozen=True, kw_only=True)
class EngineSpec:
    """What is known of an engine before it runs."""

    name: str
    """The name in studies and on the command line."""
    title: str
    """The name in charts and tables."""
    language: Language
    reach: Reach
    formats: Mapping[str, WeightFormat]
    """What it runs for each word that a study has for the precision; no word, no run."""
    model_format: str
    """`safetensors`, `gguf`, `ctranslate2` or `gptq`."""
    can_ignore_end_of_sequence: bool
    reports_token_ids: bool
    takes_token_ids: bool
    """Whether a prompt can be given as ids; else the engine tokenises the text itself."""
    shipped: Shipped = Shipped()
    batching: Batching = Batching.UNKNOWN
    """Of a server: what is declared of several requests at once (`analyse.load.batching`)."""
    keeps_a_copy: bool = False
    """Whether it reads the model from a store of its own: a copy, unless it can be linked."""
    scores: bool = False
    """Whether it says how likely given tokens are (`scoring.Scores`)."""
    devices: tuple[str, ...] = ("cpu",)
    """Where it can compute, of the study's words."""
    variant: str = ""
    """Of a variant: what is set otherwise than usual, in words, at the end of its title."""

    @property
    def plain_title(self) -> str:
        """The title without what a variant adds to it."""
        return self.title.removesuffix(f", {self.variant}") if self.variant else self.title

    def labelled(self, label: str) -> EngineSpec:
        """With another title, as what runs may say of itself; empty: as it is."""
        if not label:
            return self
        return replace(self, title=f"{label}, {self.variant}" if self.variant else label)


@dataclass(frozen=True, kw_only=True)
class EngineDescription:
    """What is known of an engine that runs, for the record. `version` is never empty."""

    version: str
    build: Mapping[str, str]
    """Compiler, flags, instruction sets, library versions: whatever may explain a difference."""
    label: str = ""
    """The title in charts and tables where it hangs on what ran; empty: the spec's."""


@dataclass(frozen=True, kw_only=True)
class LaunchSettings:
    """How an engine is started. Equal for all of a comparison, but for what is as shipped."""

    model: Model
    precision: str
    """A word of the study (`EngineSpec.formats`); of a GGUF file alone, the file's own type."""
    device: str
    threads: int
    context: int
    """Tokens of context (prompt and answer together)."""
    slots: int = 1
    """Requests that a server computes at once, each with that context; more of them wait."""
    start_timeout_s: float = 900.0


@dataclass(frozen=True, kw_only=True)
class GenerateRequest:
    """One request. `prompt_ids` starts with BOS if the model has it; `prompt_text` never does."""

    prompt_text: str
    prompt_ids: tuple[int, ...]
    new_tokens: int
    seed: int = 0
    ignore_end_of_sequence: bool = True
    """Asked for; an engine whose spec says that it cannot will stop early, and say so."""
    timeout_s: float = 600.0
    """For the whole of it."""
    stall_timeout_s: float = 120.0
    """For the next token, once one has come; of an embedded engine, without any computing."""


@dataclass(frozen=True, kw_only=True)
class Generation:
    """One answer, raw: stamps and counts as the engine gave them, nothing derived.

    `chunk_ns` has a stamp for each chunk that carried content, in the order of arrival,
    and `chunk_tokens` says how many tokens each chunk held: 1 where chunk and token are
    the same thing, 0 where that is not known.
    """

    requested_ns: int
    chunk_ns: tuple[int, ...]
    chunk_tokens: tuple[int, ...]
    ended_ns: int
    prompt_tokens: int
    output_tokens: int
    stop: StopReason
    text: str
    token_ids: tuple[int, ...] | None
    engine_timings: Mapping[str, float] = field(default_factory=dict)
    """The engine's own figures, under its own names; units stand in the names."""


class RunningEngine(Protocol):
    """An engine that is loaded and answers. Always used in a `with` statement."""

    @property
    def description(self) -> EngineDescription:
        """Version, build flags and the like of what is running."""

    @property
    def load_seconds(self) -> float:
        """From process start to ready, in seconds."""

    def token_ids(self, text: str) -> tuple[int, ...] | None:
        """The engine's own tokenisation of `text`, with BOS if the model has it; or None."""

    def generate(self, request: GenerateRequest) -> Generation:
        """Answer one request.

        Raises GenerationError if this request fails, EngineCrashError if the process is gone.
        """

    def process_ids(self) -> tuple[int, ...]:
        """Root processes of the engine, for memory and CPU accounting."""

    def stop(self) -> None:
        """End every process that was started. Safe to call twice."""

    def __enter__(self) -> RunningEngine: ...

    def __exit__(self, *exc: object) -> None: ...


class Dialect(StrEnum):
    """How a server wants to be asked, and how its answers are to be read."""

    OPENAI_COMPLETIONS = "openai-completions"
    OPENAI_CHAT = "openai-chat"
    OLLAMA_GENERATE = "ollama-generate"
    OLLAMA_CHAT = "ollama-chat"
    LLAMA_COMPLETION = "llama-completion"


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where requests are posted to, whole URL, and in which dialect."""

    url: str
    dialect: Dialect
    model: str
    """The model's name there."""


@runtime_checkable
class Served(Protocol):
    """What a running engine has besides if it is a server, which can be put under load."""

    @property
    def endpoint(self) -> Endpoint: ...

    def request_body(self, request: GenerateRequest) -> bytes:
        """The JSON that `generate` would post for this request."""


@runtime_checkable
class StampsInProcess(Protocol):
    """What a running engine has besides if it stamps tokens within the engine's own work."""

    def stamp_cost_ns(self) -> float | None:
        """Nanoseconds that stamping takes from the engine for each token, measured now.

        None if the engine has no way to measure it.
        """


class Engine(Protocol):
    """A stack that can be built and started."""

    @property
    def spec(self) -> EngineSpec: ...

    def prepare(self, progress: Progress) -> None:
        """Find or build what the engine needs; a second call does nothing.

        Raises SetupError when it cannot, with what to install in the hint.
        """

    def start(self, settings: LaunchSettings, log: Path) -> RunningEngine:
        """Start the engine, load the model, wait until it answers. Its output goes to `log`.

        Raises EngineStartError or EngineCrashError.
        """
