"""What lies on this disk of which model, and taking it away again."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from python_runner.common.errors import ModelError
from python_runner.common.locations import cache_dir
from python_runner.models import cards
from python_runner.models.ct2 import KINDS, ct2_dir, read_ct2_record
from python_runner.models.derived import DerivedRecord, record_of
from python_runner.models.folder import weight_files
from python_runner.models.gguf import WHOLE, GgufRecord, gguf_dir, read_record
from python_runner.models.gptq import KIND, gptq_dir, read_gptq_record
from python_runner.models.source import listed_source

_MADE_FOLDER = re.compile(r"(?P<model>.+)-[0-9a-f]{16}")
_GGUF_FILE = re.compile(r"(?P<model>.+)-[0-9a-f]{16}-\w+-converter-.+")
_GPTQ_FOLDER = re.compile(rf"(?P<model>.+)-[0-9a-f]{{16}}-{KIND}-converter-.+")
_CT2_FOLDER = re.compile(rf"(?P<model>.+)-[0-9a-f]{{16}}-(?P<kind>{'|'.join(KINDS)})-converter-.+")


@dataclass(frozen=True, kw_only=True)
class Form:
    """One form of a model on this disk."""

    model: str
    kind: str
    """`safetensors`, `GGUF`, `GGUF q8_0`, `CTranslate2 int8`, or `GPTQ int4`."""
    path: Path
    """A folder or a file."""
    bytes: int
    is_ours: bool
    """Made by us from something else, so that it can be removed and made again."""


def forms() -> list[Form]:
    """All that lies here, by model."""
    found = [*_listed_weights(), *_made_weights(), *_ggufs(), *_ct2_folders(), *_gptq_folders()]
    unique = {form.path: form for form in found}
    return sorted(unique.values(), key=lambda form: (form.model, form.kind, form.path))


def remove_form(path: Path) -> None:
    """Remove a form that `is_ours`, and what is recorded about it."""
    assert path.is_relative_to(cache_dir()), path
    if path.is_dir():
        shutil.rmtree(path)
        path.with_name(f"{path.name}.fingerprint.json").unlink(missing_ok=True)
        record_of(path).unlink(missing_ok=True)
    else:
        path.with_suffix(".json").unlink(missing_ok=True)
        path.unlink()


def _listed_weights() -> Iterator[Form]:
    for card in cards.catalogue():
        source = listed_source(card)
        if source.is_ready:
            yield Form(
                model=card.name,
                kind="safetensors",
                path=source.folder,
                bytes=_weight_bytes(source.folder),
                is_ours=card.random is not None,
            )


def _made_weights() -> Iterator[Form]:
    """Random weights, also of manifests and generators that have changed since."""
    for folder in (cache_dir() / "models").glob("*-*"):
        if folder.is_dir() and (named := _MADE_FOLDER.fullmatch(folder.name)):
            yield Form(
                model=named["model"],
                kind="safetensors",
                path=folder,
                bytes=_weight_bytes(folder),
                is_ours=True,
            )


def _ggufs() -> Iterator[Form]:
    for path in gguf_dir().glob("*.gguf"):
        named = _GGUF_FILE.fullmatch(path.stem)
        record = read_record(path.with_suffix(".json"))
        yield Form(
            model=(record.model if record else "") or (named["model"] if named else path.stem),
            kind=_kind(record),
            path=path,
            bytes=path.stat().st_size,
            is_ours=True,
        )


def _ct2_folders() -> Iterator[Form]:
    for path, named in _derived(ct2_dir(), _CT2_FOLDER):
        yield _derived_form(path, named, read_ct2_record(path), f"CTranslate2 {named['kind']}")


def _gptq_folders() -> Iterator[Form]:
    for path, named in _derived(gptq_dir(), _GPTQ_FOLDER):
        yield _derived_form(path, named, read_gptq_record(path), f"GPTQ {KIND}")


def _derived(folder: Path, name: re.Pattern[str]) -> Iterator[tuple[Path, re.Match[str]]]:
    """The folders within `folder` that were derived from weights, by their names."""
    for path in folder.glob("*"):
        named = name.fullmatch(path.name)
        if named is not None and path.is_dir():
            yield path, named


def _derived_form(
    path: Path, named: re.Match[str], record: DerivedRecord | None, kind: str
) -> Form:
    return Form(
        model=record.model if record else named["model"],
        kind=kind,
        path=path,
        bytes=sum(file.stat().st_size for file in path.iterdir()),
        is_ours=True,
    )


def _kind(record: GgufRecord | None) -> str:
    return "GGUF" if record is None or record.precision == WHOLE else f"GGUF {record.precision}"


def _weight_bytes(folder: Path) -> int:
    try:
        return sum(path.stat().st_size for path in weight_files(folder))
    except ModelError:  # not whole: what there is of it
        return sum(path.stat().st_size for path in folder.glob("*.safetensors"))
