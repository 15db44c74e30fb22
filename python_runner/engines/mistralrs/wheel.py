"""mistral.rs through its official Python wheel (PyO3): newer than the crates our binding has.

What the wheel can do and cannot, found by trying version 0.9.5:

- Only chat completions stream, so the prompt goes through a template that renders it as it
  is (`raw_prompt.jinja`); the wheel tokenises the text itself and puts BOS before it.
- It takes no token ids and returns none, except as the ids of the alternatives listed with
  log-probabilities. One alternative is asked for: under greedy decoding it is the token
  that was chosen. The cost was too small to be seen with 256,000 pieces of vocabulary,
  because the wheel computes the probabilities of all of them in any case.
- A special token (such as an ignored end of sequence) gets no chunk. Chunk and token then
  are not the same thing, and no ids are reported for that answer.
- It leaves out white space at the start of a streamed text, so the text is made from the
  ids where they are known.
- The size of the context cannot be set: it is that of the model's configuration.
- In bf16 on a CPU it widens every weight matrix to 32 bits for each token and frees it again.
  See `_environment` for what that does to the allocator.
"""

from __future__ import annotations

import mmap
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from python_runner.common.clock import now_ns
from python_runner.common.errors import EngineStartError, SetupError
from python_runner.common.progress import Progress
from python_runner.engines.contract import (
    PROMPT_CACHE,
    WEIGHTS_IN_MEMORY,
    EngineDescription,
    EngineSpec,
    GenerateRequest,
    Generation,
    Language,
    LaunchSettings,
    Reach,
    Shipped,
    StopReason,
    WeightFormat,
)
from python_runner.engines.stamp_cost import median_cost_ns
from python_runner.engines.worker.embedded import EmbeddedEngine

_PACKAGE = "mistralrs"
_TEMPLATE = Path(__file__).with_name("raw_prompt.jinja")
_COMPILER_NOTE = b"rustc version"
_TUNABLES = "GLIBC_TUNABLES"
_KEEP_MEMORY = (
    "glibc.malloc.arena_max=1",  # only the main arena can hold blocks of this size
    "glibc.malloc.hugetlb=1",
    "glibc.malloc.mmap_max=0",
    "glibc.malloc.trim_threshold=68719476736",
)
_TIMINGS = ("total_prompt_time_sec", "total_completion_time_sec", "total_time_sec")

SPEC = EngineSpec(
    name="mistral.rs-wheel",
    title="mistral.rs (wheel)",
    language=Language.RUST,
    reach=Reach.EMBEDDED,
    formats={
        # It widens matrices to 32 bits for each token.
        "bf16": WeightFormat(name="bf16", bits=16, memory_per_weight_byte=2.0),
        "8bit": WeightFormat(name="Q8_0", bits=8, memory_per_weight_byte=2.0),
        # Its "auto" ends there on a CPU (decision 0007).
        "shipped": WeightFormat(name="f32", bits=32, memory_per_weight_byte=2.2),
    },
    model_format="safetensors",
    can_ignore_end_of_sequence=True,
    reports_token_ids=True,
    takes_token_ids=False,
    shipped=Shipped(every_processor=True),
)


def prepare(progress: Progress) -> None:
    """Nothing is built; raises SetupError if the wheel is not installed."""
    try:
        version(_PACKAGE)
    except PackageNotFoundError as error:
        raise SetupError(
            f"the Python package {_PACKAGE} is not installed",
            hint="Install polystack with its dependencies, as the README says.",
        ) from error


def load(settings: LaunchSettings) -> WheelModel:
    """Load the model in the current process."""
    mistralrs: Any = import_module(_PACKAGE)
    folder = settings.model.folder
    if not (folder / "config.json").is_file():
        # The wheel would take the path for the name of a model to download.
        raise EngineStartError(f"{folder} holds no model (no config.json)")
    dtype = {"bf16": "BF16", "8bit": "F32", "shipped": "Auto"}[settings.precision]
    runner = mistralrs.Runner(
        # It finds the architecture in config.json.
        mistralrs.Which.Plain(model_id=str(folder), dtype=getattr(mistralrs.ModelDType, dtype)),
        in_situ_quant="Q8_0" if settings.precision == "8bit" else None,
        max_seqs=1,
        prefix_cache_n=0,
        no_paged_attn=True,
        token_source="none",  # noqa: S106 - which credential to send: none
        jinja_explicit=str(_TEMPLATE),
    )
    return WheelModel(runner, SPEC.formats[settings.precision].name)


class WheelModel:
    """Implements `in_process.InProcessModel`."""

    def __init__(self, runner: Any, held_as: str) -> None:
        self._runner = runner
        self._held_as = held_as

    @property
    def description(self) -> EngineDescription:
        return EngineDescription(version=version(_PACKAGE), build=_build(self._held_as))

    def token_ids(self, text: str) -> tuple[int, ...]:
        # Its parameters cannot be named; None: "thinking" is not the business of plain text.
        ids: list[int] = self._runner.tokenize_text(text, True, None)  # noqa: FBT003
        return tuple(ids)

    def generate(self, request: GenerateRequest) -> Generation:
        requested_ns = now_ns()
        record = _Record()
        for chunk in self._stream(request):
            record.add(chunk, now_ns())
        ended_ns = now_ns()
        ids = record.token_ids()
        return Generation(
            requested_ns=requested_ns,
            chunk_ns=tuple(record.times_ns),
            chunk_tokens=(0 if ids is None else 1,) * len(record.times_ns),
            ended_ns=ended_ns,
            prompt_tokens=record.usage.prompt_tokens,
            output_tokens=record.output_tokens,
            stop=record.stop,
            text="".join(record.texts) if ids is None else self._text(ids),
            token_ids=ids,
            engine_timings={name: getattr(record.usage, name) for name in _TIMINGS},
        )

    def stamp_cost_ns(self) -> float:
        best = SimpleNamespace(token=1)
        choice = SimpleNamespace(
            finish_reason=None,
            delta=SimpleNamespace(content="a"),
            logprobs=SimpleNamespace(top_logprobs=[best]),
        )
        chunk, record = SimpleNamespace(choices=[choice]), _Record()
        return median_cost_ns(lambda: record.add(chunk, now_ns()))

    def close(self) -> None:
        del self._runner

    def _stream(self, request: GenerateRequest) -> Iterator[Any]:
        mistralrs: Any = import_module(_PACKAGE)
        stream: Iterator[Any] = self._runner.send_chat_completion_request(
            mistralrs.ChatCompletionRequest(
                model="default",
                messages=[{"role": "user", "content": request.prompt_text}],
                max_tokens=request.new_tokens,
                temperature=0.0,
                # Else the one in the model's generation_config.json would hold (0.9.5, tried).
                repetition_penalty=1.0,
                ignore_eos=request.ignore_end_of_sequence,
                logprobs=True,
                top_logprobs=1,
                stream=True,
            )
        )
        return stream

    def _text(self, ids: Sequence[int]) -> str:
        text: str = self._runner.detokenize_text(list(ids), False)  # noqa: FBT003 - cannot be named
        return text


@dataclass(kw_only=True)
class _Record:
    """What has come of one request. Keeps the work between two tokens small."""

    times_ns: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)
    """Shorter than `times_ns` if a chunk came without an id."""
    last: Any = None

    def add(self, chunk: Any, arrived_ns: int) -> None:
        self.last = chunk
        choice = chunk.choices[0]
        if choice.finish_reason == "stop":
            return  # the mark that ends an answer is not a part of it
        self.times_ns.append(arrived_ns)
        self.texts.append(choice.delta.content or "")
        if choice.logprobs is not None:
            self.ids.append(choice.logprobs.top_logprobs[0].token)

    @property
    def usage(self) -> Any:
        return self.last.usage

    @property
    def stop(self) -> StopReason:
        stopped = self.last.choices[0].finish_reason == "stop"
        return StopReason.END_OF_SEQUENCE if stopped else StopReason.LENGTH

    @property
    def output_tokens(self) -> int:
        """Tokens of the answer; the wheel counts the mark that ends it, too."""
        counted: int = self.usage.completion_tokens
        return counted - (self.stop is StopReason.END_OF_SEQUENCE)

    def token_ids(self) -> tuple[int, ...] | None:
        """One for each token of the answer, or None if some are not known."""
        return tuple(self.ids) if len(self.ids) == self.output_tokens else None


def _environment(settings: LaunchSettings) -> Mapping[str, str]:
    """Have glibc keep freed memory, in huge pages, instead of giving it back.

    By default each widened matrix is new memory from the kernel, which clears it page by
    page: 8 s a token on the 2B's shape instead of 2.3 (decision 0007). Other C libraries
    ignore the variable.
    """
    theirs = os.environ.get(_TUNABLES)
    return {_TUNABLES: ":".join([*_KEEP_MEMORY, *([theirs] if theirs else [])])}


def _build(held_as: str) -> Mapping[str, str]:
    wheel = distribution(_PACKAGE)
    tag = re.search(r"^Tag: (.+)$", wheel.read_text("WHEEL") or "", re.MULTILINE)
    return {
        "package": f"official wheel {tag[1] if tag else ''}".strip(),
        "compiler": _compiler(Path(str(wheel.locate_file(_PACKAGE)))),
        "flags": "not known: compiled by its publisher",
        WEIGHTS_IN_MEMORY: f"{held_as}, as asked for: the wheel does not say",
        "instruction sets": "chosen by the wheel when it runs",
        PROMPT_CACHE: "off",
        "paged attention": "off",
        "allocator": os.environ.get(_TUNABLES, "as the system has it"),
    }


def _compiler(folder: Path) -> str:
    """What the shared library notes about its compiler."""
    for library in folder.glob("*.so"):
        with (
            library.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
        ):
            start = content.rfind(_COMPILER_NOTE)
            if start >= 0:
                return content[start : content.find(b"\0", start)].decode(errors="replace")
    return "not known"


ENGINE = EmbeddedEngine(
    spec=SPEC,
    prepare=prepare,
    loader="python_runner.engines.mistralrs.wheel:load",
    environment=_environment,
)
