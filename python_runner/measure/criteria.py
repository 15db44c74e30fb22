"""The criteria by which conditions are compared, and how each is read: one table.

*Blocking* ones must be equal before anything is timed; the others are told. What an engine
does not say has no fact, and is unknown: never taken for equal.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from python_runner.common.errors import UnknownNameError
from python_runner.engines.contract import (
    ACTIVATIONS,
    CONTEXT_MEMORY,
    FLASH_ATTENTION,
    KV_CACHE,
    PROMPT_CACHE,
    WEIGHTS_BY_TYPE,
    WEIGHTS_IN_MEMORY,
)
from python_runner.measure.facts import Known, Reading, digest
from python_runner.measure.plan import PROMPT_IDS, PROMPT_TOKENS

Reader = Callable[[Known], str | None]
"""What holds for a condition, in a short text; None: not known."""

REUSES_NOTHING = "nothing of a prompt is reused"

_HASH_DIGITS = 16
_BITS = re.compile(r"(?:bf|n?f|int)(\d+)|I?Q(\d)_\w+", re.IGNORECASE)
_NOT_KNOWN = "not known"
"""Of a server that somebody else has started (`engines.outside`)."""
_FOR_THE_MOST_PART = " for the most part"
_BY_WHOM = re.compile(r" \(\w+\)$")
"""`int8 (torchao)`: whose scheme it is."""


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """One thing that may differ."""

    key: str
    """As `--allow-unfair` takes it."""
    title: str
    blocks: bool
    """Whether a difference stops a run before anything is timed."""
    change: str
    """What to change so that it is equal, as a sentence; empty for what is only told."""
    read: Reader


def check_keys(allowed: Iterable[str]) -> None:
    """Raise UnknownNameError for a key that no blocking criterion has."""
    for key in allowed:
        if key not in BLOCKING_KEYS:
            raise UnknownNameError("criterion", key, BLOCKING_KEYS)


def bits_in(held_as: str) -> int | None:
    """Bits of a weight, by the name of the format; None if it does not say.

    `Q5_0 for the most part, asked for as Q4_K_M` is 5: what is there counts.
    """
    name = held_as.partition(_FOR_THE_MOST_PART)[0]
    found = _BITS.fullmatch(_BY_WHOM.sub("", name))
    return int(found[1] or found[2]) if found else None


def reading_facts(reading: Reading) -> dict[str, str]:
    """What a reading of the prompts comes to, by criterion."""
    if not reading.counts:
        return {}
    low, high = min(reading.counts), max(reading.counts)
    counts = {PROMPT_TOKENS: str(low) if low == high else f"{low} to {high}"}
    return counts if reading.ids is None else {**counts, PROMPT_IDS: reading.ids}


def _device(known: Known) -> str:
    """Where it computes. Of two that do not say, nobody knows that they are equal."""
    device = known.settings.device
    return f"{known.spec.title}'s own, {device}" if device == _NOT_KNOWN else device


def _bits(known: Known) -> str | None:
    """`16 bits`. Formats of as many bits are equal here; their names are told."""
    if known.seen is not None:
        held = known.says(WEIGHTS_IN_MEMORY)
        bits = bits_in(held) if held else None
    else:
        wanted = known.settings.precision
        chosen = known.spec.formats.get(wanted)
        bits = chosen.bits if chosen else bits_in(wanted)
    return None if bits is None else f"{bits} bits"


def _threads(known: Known) -> str | None:
    return known.says("threads") or str(known.settings.threads or "") or None


def _prompt_texts(known: Known) -> str | None:
    if known.work is None:
        return None
    count = len(known.work.prompts)
    return f"{count}, {digest(prompt.text for prompt in known.work.prompts)}"


def _of_reading(key: str) -> Reader:
    def read(known: Known) -> str | None:
        reading = known.seen.reading if known.seen else None
        return reading_facts(reading).get(key) if reading else None

    return read


def _new_tokens(known: Known) -> str | None:
    if known.work is None:
        return None
    return f"at most {known.work.new_tokens}" if known.work.may_end else str(known.work.new_tokens)


def _prompt_cache(known: Known) -> str | None:
    """A cache that finds nothing is as good as none, so what the prompts share counts."""
    said = known.says(PROMPT_CACHE, "prefix cache")
    shared = known.work.shared_tokens if known.work else None
    if said == "off" or shared == 0:
        return REUSES_NOTHING
    if said is None or shared is None:
        return None
    return f"reused of a prompt: {shared} token{'' if shared == 1 else 's'}"


def _end_of_sequence(known: Known) -> str:
    is_asked_to = known.work is not None and known.work.may_end
    goes_on = known.spec.can_ignore_end_of_sequence and not is_asked_to
    return "ignored" if goes_on else "ends the answer"


def _said(*names: str) -> Reader:
    return lambda known: known.says(*names)


def _blocking(key: str, title: str, change: str, read: Reader) -> Criterion:
    return Criterion(key=key, title=title, blocks=True, change=change, read=read)


def _told(key: str, title: str, read: Reader) -> Criterion:
    return Criterion(key=key, title=title, blocks=False, change="", read=read)


CRITERIA: tuple[Criterion, ...] = (
    _blocking("device", "device", "Run all on one --device.", _device),
    _blocking(
        "weights",
        "weights (hash of the source)",
        "Give all the same --model.",
        lambda known: known.settings.model.source_sha256[:_HASH_DIGITS] or None,
    ),
    _blocking(
        "precision",
        "precision of the weights",
        "Take another --precision, or leave a stack out with --stacks.",
        _bits,
    ),
    _blocking("threads", "threads", "Set --threads.", _threads),
    _blocking(
        "context",
        "context length",
        "Set --context.",
        lambda known: str(known.settings.context or "") or None,
    ),
    _blocking(
        "slots",
        "parallel slots",
        "Start all with the same number of slots.",
        lambda known: str(known.settings.slots or "") or None,
    ),
    _blocking("prompts", "prompt texts", "Use one --seed and one set of prompts.", _prompt_texts),
    _blocking(
        "template",
        "template",
        "Set --template.",
        lambda known: known.work.template if known.work else None,
    ),
    _blocking(
        PROMPT_TOKENS,
        "tokens of a prompt",
        "Check add_bos_token and the tokenizer files of the model.",
        _of_reading(PROMPT_TOKENS),
    ),
    _blocking(
        PROMPT_IDS,
        "token ids of the prompts (hash)",
        "Check add_bos_token and the tokenizer files of the model.",
        _of_reading(PROMPT_IDS),
    ),
    _blocking("new-tokens", "new tokens", "Set --new-tokens.", _new_tokens),
    _blocking(
        "sampling",
        "sampling",
        "Use one sampling.",
        lambda known: known.work.sampling if known.work else None,
    ),
    _blocking(
        "prompt-cache",
        "prompt cache",
        "Have every prompt begin otherwise (--template raw, no shared prefix), or leave a stack "
        "out with --stacks.",
        _prompt_cache,
    ),
    _told("weights-format", "weights in memory", _said(WEIGHTS_IN_MEMORY)),
    _told("weights-by-type", "weights by type", _said(WEIGHTS_BY_TYPE)),
    _told("kv-cache", "KV cache", _said(KV_CACHE)),
    _told("activations", "activations", _said(ACTIVATIONS)),
    _told("flash-attention", "flash attention", _said(FLASH_ATTENTION)),
    _told("context-memory", "memory for the context", _said(CONTEXT_MEMORY)),
    _told("microbatch", "prompt tokens at once", _said("prompt tokens computed at once")),
    _told("end-of-sequence", "end of sequence", _end_of_sequence),
    _told("path", "path", lambda known: str(known.spec.reach)),
    _told("compiler", "compiler", _said("compiler")),
    _told("flags", "compiler flags", _said("flags")),
    _told("compiled-for", "compiled for", _said("compiled for")),
    _told("instruction-sets", "instruction sets", _said("instruction sets")),
    _told(
        "affinity",
        "processors it may use",
        lambda known: known.seen.affinity if known.seen else None,
    ),
    _told(
        "version",
        "version",
        lambda known: (known.seen.description.version or None) if known.seen else None,
    ),
)

BLOCKING_KEYS = tuple(criterion.key for criterion in CRITERIA if criterion.blocks)
"""What `--allow-unfair` takes."""
