"""Read a study file, apply what the command line overrides, and say what is wrong in it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from python_runner.common.errors import StudyError, UnknownNameError, UsageError
from python_runner.common.locations import source_root
from python_runner.study.explain import validated
from python_runner.study.schema import Study, Workload

CLAIMS_SUFFIX = ".claims.toml"
"""Claims lie beside the study that they belong to."""
_NO_TOML = "Correct the file at that place."


@dataclass(frozen=True, kw_only=True)
class Overrides:
    """Values that replace those of the study file; None leaves the file's value."""

    model: str | tuple[str, ...] | None = None
    stacks: tuple[str, ...] | None = None
    precision: str | None = None
    device: str | None = None
    threads: int | None = None
    context: int | None = None
    iterations: int | None = None
    blocks: int | None = None
    until_ci: str | None = None
    max_iterations: int | None = None
    max_time: str | None = None
    warmup: int | None = None
    retries: int | None = None
    timeout: str | None = None
    stall_timeout: str | None = None
    start_timeout: str | None = None
    seed: int | None = None
    prompt_tokens: int | None = None
    new_tokens: int | None = None
    template: str | None = None
    prompts: str | None = None
    stop: str | None = None
    name: str | None = None
    title: str | None = None
    allow_unfair: tuple[str, ...] | None = None
    """Added to those of the file."""
    endpoints: Mapping[str, Mapping[str, object]] | None = None
    """Tables `[endpoints.NAME]` besides those of the file; each is a stack, too."""
    published: Mapping[str, object] | None = None
    load: Mapping[str, object] | None = None
    """Keys of the table `[load]`; here None takes the file's value away."""


def studies_dir() -> Path:
    """Where the studies that come with the workbench lie."""
    return source_root() / "studies"


def study_names() -> list[str]:
    """Names of the studies that come with the workbench."""
    files = studies_dir().glob("*.toml")
    return sorted(path.stem for path in files if not path.name.endswith(CLAIMS_SUFFIX))


def load_study(name_or_path: str, overrides: Overrides | None = None) -> Study:
    """The study of that name (or in that TOML file), with `overrides` applied.

    Raises UnknownNameError if there is no such study, and StudyError, which names the
    key and what is allowed, if it is not valid.
    """
    path = find_file("study", name_or_path, folder=studies_dir(), names=study_names())
    document = read_toml(path)
    merged = _apply(_with_whole_paths(document, path), overrides or Overrides())
    return validated(
        Study,
        merged,
        what=f"study {path.name}",
        hint="Correct the key in the study file, or the option of the same name.",
    )


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a file. Raises StudyError if it cannot be read or is no TOML."""
    try:
        return parse_toml(path.read_text(encoding="utf-8"), place=str(path))
    except UnicodeDecodeError as error:
        raise StudyError(f"{path} is not valid TOML: {error}", hint=_NO_TOML) from error
    except OSError as error:
        raise StudyError(f"{path} cannot be read: {error.strerror}") from error


def parse_toml(text: str, *, place: str) -> dict[str, Any]:
    """The tables of a text that came from `place`. Raises StudyError."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise StudyError(f"{place} is not valid TOML: {error}", hint=_NO_TOML) from error


def find_file(
    kind: str, name_or_path: str, *, folder: Path, names: Sequence[str], suffix: str = ".toml"
) -> Path:
    """The file of a study, of claims or of a team: one that comes with the workbench, or yours.

    Args:
        kind: what it is, for the message.
        name_or_path: a name among `names`, or the path of a TOML file.
        folder: where those that come with the workbench lie.
        names: theirs, without `suffix`.
        suffix: how their files end.

    Raises UnknownNameError, or UsageError where a path leads to no file.
    """
    shipped = folder / f"{name_or_path}{suffix}"
    if shipped.is_file():
        return shipped
    path = Path(name_or_path)
    if path.suffix == ".toml" and path.is_file():
        return path
    if path.suffix == ".toml" and path.stem not in names:
        raise UsageError(
            f"there is no file {name_or_path}",
            hint=f"Those that come with the workbench go by their names: {', '.join(names)}.",
        )
    raise UnknownNameError(kind, name_or_path, names)


def _with_whole_paths(document: dict[str, Any], path: Path) -> dict[str, Any]:
    """Files are named as seen from the study; a stored run is read from anywhere."""
    found = dict(document)
    claims, workload = document.get("claims"), document.get("workload")
    if isinstance(claims, str) and claims.endswith(".toml"):
        found["claims"] = str((path.parent / claims).resolve())
    if isinstance(workload, dict) and isinstance(workload.get("prompts"), str):
        whole = str((path.parent / workload["prompts"]).resolve())
        found["workload"] = {**workload, "prompts": whole}
    return found


def _apply(document: Mapping[str, Any], overrides: Overrides) -> dict[str, Any]:
    merged = dict(document)
    for field in fields(overrides):
        value = getattr(overrides, field.name)
        if value is None:
            continue
        if field.name == "load":
            both = {**merged.get("load", {}), **value}
            merged["load"] = {key: item for key, item in both.items() if item is not None}
        elif field.name == "endpoints":
            merged |= _with_endpoints(merged, value)
        elif field.name == "allow_unfair":
            merged[field.name] = [*merged.get(field.name, ()), *value]
        elif field.name in Workload.model_fields:
            workload = merged.get("workload", {})
            merged["workload"] = {**workload, field.name: value}
        else:
            merged[field.name] = value
    return merged


def _with_endpoints(
    document: Mapping[str, Any], named: Mapping[str, Mapping[str, object]]
) -> dict[str, Any]:
    """The keys of the study that endpoints on the command line change."""
    stacks = list(document.get("stacks", ()))
    return {
        "endpoints": {**document.get("endpoints", {}), **named},
        "stacks": [*stacks, *(name for name in named if name not in stacks)],
    }
