"""Make what is missing of a model: its weights, its tokenizer, its GGUF and other forms."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from python_runner.common.errors import ModelError, UsageError
from python_runner.common.progress import Progress
from python_runner.models.atomic import one_at_a_time, unfinished, write_text
from python_runner.models.cards import ModelCard
from python_runner.models.ct2 import KINDS, make_ct2
from python_runner.models.fingerprint import (
    Fingerprint,
    check_sizes,
    known_file_hash,
    known_fingerprint,
    read_fingerprint,
    take_fingerprint,
)
from python_runner.models.folder import inspect_folder
from python_runner.models.gguf import WHOLE, gguf_path, is_converted, make_gguf
from python_runner.models.gguf_file import GgufFacts
from python_runner.models.gptq import Packages, make_gptq
from python_runner.models.hub import check_against_hub, fetch
from python_runner.models.model import Model
from python_runner.models.plain_view import unread
from python_runner.models.quantise import TYPES, Quantiser, make_quantised
from python_runner.models.sizes import SECONDS_PER_GB, check_disks, still_to_write
from python_runner.models.source import Source, find_source, listed_source

_BYTES_PER_WEIGHT = 2
_HASH_SECONDS_PER_GB = 1.0
_SILENT_BYTES = 100_000_000


def prepare_model(
    reference: str,
    ggufs: Iterable[str],
    progress: Progress,
    *,
    quantiser: Quantiser | None = None,
    ct2: Iterable[str] = (),
    gptq: Packages | None = None,
) -> Model:
    """That model on disk, as safetensors and as all `ggufs`; makes what is missing.

    Args:
        reference: what `find_source` takes.
        ggufs: types of GGUF file, of `quantise.TYPES`; may be none. A GGUF file alone is all
            that there is of its model, and is taken as it is.
        progress: shown while something is made.
        quantiser: for other types than bf16.
        ct2: kinds of folder for CTranslate2, of `ct2.KINDS`.
        gptq: finds what quantises by GPTQ; None: no checkpoint of that format.

    Raises:
        UnknownNameError: no model of that name.
        UsageError: a path or type that does not exist.
        ModelError: the disk is too small, or files are missing or damaged.
        ConversionError: a converter does not know this model.
        SetupError: the quantiser is needed and cannot be built.
    """
    source = find_source(reference)
    return prepare_source(source, ggufs, progress, quantiser=quantiser, ct2=ct2, gptq=gptq)


def prepare_source(
    source: Source,
    ggufs: Iterable[str],
    progress: Progress,
    *,
    quantiser: Quantiser | None = None,
    ct2: Iterable[str] = (),
    gptq: Packages | None = None,
) -> Model:
    """The same for a model that has been found already."""
    wanted = _checked(ggufs)
    folders = [kind for kind in KINDS if kind in set(ct2)]
    if source.gguf is not None:
        return _gguf_alone(source, source.gguf, progress)
    check_disks(source.name, still_to_write(source, wanted, folders, gptq=gptq is not None))
    was_here = source.is_ready
    source = _on_disk(source, progress)
    fingerprint = _weights(source, progress, just_fetched=not was_here)
    return Model(
        name=source.name,
        label=source.label,
        is_synthetic=source.is_synthetic,
        folder=source.folder,
        source_sha256=fingerprint.sha256,
        gguf={
            kind: _gguf(source, fingerprint.sha256, kind, progress, quantiser) for kind in wanted
        },
        ct2={kind: _ct2(source, fingerprint.sha256, kind, progress) for kind in folders},
        gptq=_gptq(source, fingerprint.sha256, gptq, progress) if gptq else None,
    )


def _gguf_alone(source: Source, facts: GgufFacts, progress: Progress) -> Model:
    with _hashing(source, progress):
        sha256 = known_file_hash(facts.path, source.record)
    if source.sha256 and sha256 != source.sha256:
        raise ModelError(
            f"{facts.path} is damaged: its hash is {sha256}", hint="Pull the model again."
        )
    return Model(
        name=source.name,
        label=source.label,
        is_synthetic=False,
        folder=source.folder,
        source_sha256=sha256,
        gguf={facts.precision: facts.path},
        has_safetensors=False,
    )


def _on_disk(source: Source, progress: Progress) -> Source:
    """The same model with its published weights fetched, if it has such and lacks them."""
    card = source.card
    if card is None or card.hub is None or source.is_ready:
        return source
    fetch(card, source.bytes, progress)
    return listed_source(card)


def _weights(source: Source, progress: Progress, *, just_fetched: bool) -> Fingerprint:
    """Make or check the safetensors."""
    card = source.card
    if card is None or card.hub is not None:
        return _given_model(source, progress, just_fetched=just_fetched)
    if card.weights == "random":
        return _random_model(card, source.folder, progress)
    return _trained_model(card, source.folder)


@contextmanager
def _hashing(source: Source, progress: Progress) -> Iterator[None]:
    """Say so while large files are read through for the first time."""
    if source.bytes < _SILENT_BYTES or source.record.is_file():
        yield
        return
    with progress.task(
        f"Reading {source.label} ({source.bytes / 1e9:.1f} GB)",
        why="its hash stands beside every result; done once",
        expected_s=source.bytes / 1e9 * _HASH_SECONDS_PER_GB,
    ):
        yield


def _checked(ggufs: Iterable[str]) -> tuple[str, ...]:
    """Each once, in the order of `TYPES`."""
    wanted = set(ggufs)
    if unknown := sorted(wanted - set(TYPES)):
        raise UsageError(
            f"no GGUF file is made in {', '.join(unknown)}", hint=f"Allowed: {', '.join(TYPES)}."
        )
    return tuple(kind for kind in TYPES if kind in wanted)


def _given_model(source: Source, progress: Progress, *, just_fetched: bool) -> Fingerprint:
    """Check files that somebody else made, as far as it is known what they should be."""
    inspect_folder(source.folder)
    if left := unread(source.folder):
        progress.say(f"Never read in {source.folder}: {'; '.join(left)}.")
    with _hashing(source, progress):
        fingerprint = known_fingerprint(source.folder, source.record)
    check_against_hub(source.folder, fingerprint, just_fetched=just_fetched)
    if source.card and source.card.sha256:
        _check_manifest(source.card, source.folder, fingerprint)
    return fingerprint


def _trained_model(card: ModelCard, folder: Path) -> Fingerprint:
    """Check the files of the checkout against what the manifest says about them."""
    fingerprint = known_fingerprint(folder, card.record)
    _check_manifest(card, folder, fingerprint)
    return fingerprint


def _check_manifest(card: ModelCard, folder: Path, fingerprint: Fingerprint) -> None:
    if fingerprint.sha256 != card.sha256:
        raise ModelError(
            f"the files in {folder} are not those of the manifest: "
            f"their hash is {fingerprint.sha256}, it names {card.sha256}",
            hint="Restore the folder from the repository; after a new training write the new "
            f"hash into models/{card.name}.toml.",
        )


def _random_model(card: ModelCard, folder: Path, progress: Progress) -> Fingerprint:
    record = card.record
    with one_at_a_time(folder):
        known = read_fingerprint(record)
        if known is not None and folder.is_dir():
            check_sizes(folder, known)
            return known_fingerprint(folder, record)
        fingerprint = _make_random(card, folder, progress)
        write_text(record, fingerprint.model_dump_json(indent=2))
    if card.sha256 and fingerprint.sha256 != card.sha256:
        progress.say(
            f"Note: the random weights of {card.name} are other ones here than in the manifest "
            f"(hash {fingerprint.sha256[:16]}, not {card.sha256[:16]})."
        )
    return fingerprint


def _make_random(card: ModelCard, folder: Path, progress: Progress) -> Fingerprint:
    # Both need NumPy and protobuf, which the list of models does not.
    from python_runner.models.random_weights import write_random_weights
    from python_runner.models.tokenizer import make_vocabulary, write_tokenizer

    assert card.random is not None
    gigabytes = card.shape.parameters * _BYTES_PER_WEIGHT / 1e9
    with (
        progress.task(
            f"Making {card.name} ({gigabytes:.1f} GB)",
            why=f"its weights are random numbers from seed {card.random.seed}; "
            "nothing is downloaded",
            expected_s=gigabytes * SECONDS_PER_GB,
        ) as task,
        unfinished(folder) as scratch,
    ):
        config = json.dumps(card.shape.config(), indent=2)
        (scratch / "config.json").write_text(config + "\n", encoding="utf-8")
        task.update(0.0, f"tokenizer of {card.shape.vocabulary:,} pieces")
        vocabulary = make_vocabulary(card.shape.vocabulary)
        write_tokenizer(scratch, vocabulary, context=card.shape.context, style=card.shape.tokenizer)
        write_random_weights(scratch, card.shape, seed=card.random.seed, task=task)
        task.update(None, "computing the hash of the files")
        fingerprint = take_fingerprint(scratch)
        shutil.rmtree(folder, ignore_errors=True)
        scratch.replace(folder)
    return fingerprint


def _gguf(
    source: Source, sha256: str, kind: str, progress: Progress, quantiser: Quantiser | None
) -> Path:
    if kind != WHOLE and is_converted(gguf_path(source.name, sha256, kind)):
        return gguf_path(source.name, sha256, kind)  # the one in bf16 may be gone meanwhile
    whole = make_gguf(
        source.folder,
        name=source.name,
        source_sha256=sha256,
        expected_bytes=source.bytes,
        progress=progress,
    )
    if kind == WHOLE:
        return whole
    assert quantiser is not None, "a type in fewer bits needs a quantiser"
    return make_quantised(
        whole,
        kind,
        name=source.name,
        source_sha256=sha256,
        quantiser=quantiser,
        progress=progress,
    )


def _ct2(source: Source, sha256: str, kind: str, progress: Progress) -> Path:
    return make_ct2(
        source.folder,
        kind,
        name=source.name,
        source_sha256=sha256,
        expected_bytes=source.bytes,
        progress=progress,
    )


def _gptq(source: Source, sha256: str, packages: Packages, progress: Progress) -> Path:
    return make_gptq(
        source.folder,
        name=source.name,
        source_sha256=sha256,
        expected_bytes=source.bytes,
        packages=packages,
        progress=progress,
    )
