"""Read a study file, apply what the command line overrides, and say what is wrong in it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from python_runner.common.errors import StudyError, UnknownNameError
from python_runner.common.locations import source_root
from python_runner.study.schema import Study, Workload


@dataclass(frozen=True, kw_only=True)
class Overrides:
    """Values that replace those of the study file; None leaves the file's value."""

    model: str | None = None
    stacks: tuple[str, ...] | None = None
    precision: str | None = None
    device: str | None = None
    threads: int | None = None
    context: int | None = None
    iterations: int | None = None
    warmup: int | None = None
    seed: int | None = None
    prompt_tokens: int | None = None
    new_tokens: int | None = None
    template: str | None = None
    name: str | None = None
    title: str | None = None
    allow_unfair: tuple[str, ...] | None = None
    """Added to those of the file."""
    load: Mapping[str, object] | None = None
    """Keys of the table `[load]`; here None takes the file's value away."""


def studies_dir() -> Path:
    """Where the studies that come with the workbench lie."""
    return source_root() / "studies"


def study_names() -> list[str]:
    """Names of the studies that come with the workbench."""
    return sorted(path.stem for path in studies_dir().glob("*.toml"))


def load_study(name_or_path: str, overrides: Overrides | None = None) -> Study:
    """The study of that name (or in that TOML file), with `overrides` applied.

    Raises UnknownNameError if there is no such study, and StudyError, which names the
    key and what is allowed, if it is not valid.
    """
    path = _find(name_or_path)
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StudyError(f"{path} is not valid TOML: {error}") from error
    except OSError as error:
        raise StudyError(f"{path} cannot be read: {error.strerror}") from error
    merged = _apply(document, overrides or Overrides())
    try:
        return Study.model_validate(merged)
    except ValidationError as error:
        raise StudyError(
            f"study {path.name}:\n" + "\n".join(f"  {line}" for line in _explain(error)),
            hint="Correct the key in the study file, or the option of the same name.",
        ) from error


def _find(name_or_path: str) -> Path:
    shipped = studies_dir() / f"{name_or_path}.toml"
    if shipped.is_file():
        return shipped
    path = Path(name_or_path)
    if path.suffix == ".toml" and path.is_file():
        return path
    raise UnknownNameError("study", name_or_path, study_names())


def _apply(document: Mapping[str, Any], overrides: Overrides) -> dict[str, Any]:
    merged = dict(document)
    for field in fields(overrides):
        value = getattr(overrides, field.name)
        if value is None:
            continue
        if field.name == "load":
            both = {**merged.get("load", {}), **value}
            merged["load"] = {key: item for key, item in both.items() if item is not None}
        elif field.name == "allow_unfair":
            merged[field.name] = [*merged.get(field.name, ()), *value]
        elif field.name in Workload.model_fields:
            workload = merged.get("workload", {})
            merged["workload"] = {**workload, field.name: value}
        else:
            merged[field.name] = value
    return merged


def _explain(error: ValidationError) -> Iterator[str]:
    """One line for each problem: the key, what is wrong, and what is allowed."""
    for problem in error.errors():
        place = [str(part) for part in problem["loc"]]
        key = ".".join(place)
        if problem["type"] == "extra_forbidden":
            yield f"{key}: no such key; allowed: {', '.join(_owner(place).model_fields)}"
        elif problem["type"] == "missing":
            yield f"{key}: is missing ({_describe(place)})"
        elif problem["type"] == "value_error":
            text = problem["msg"].removeprefix("Value error, ")
            # What is wrong with a table as a whole names its keys itself.
            yield text if _table_at(place) else f"{key}: {text}"
        else:
            yield f"{key} = {problem['input']!r}: {problem['msg'].lower()} ({_describe(place)})"


def _table_at(place: list[str]) -> type[BaseModel] | None:
    """The table that `place` names; None if it names a value."""
    table: type[BaseModel] = Study
    for name in place:
        field = table.model_fields.get(name)
        kinds = (field.annotation, *get_args(field.annotation)) if field else ()
        tables = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
        if not tables:
            return None
        table = tables[0]
    return table


def _owner(place: list[str]) -> type[BaseModel]:
    """The innermost table around the last key of `place`."""
    tables = (_table_at(place[:length]) for length in range(len(place) - 1, -1, -1))
    return next((table for table in tables if table), Study)


def _describe(place: list[str]) -> str:
    fields = _owner(place).model_fields
    field = next((fields[name] for name in reversed(place) if name in fields), None)
    return (field.description or place[-1]) if field else place[-1]
