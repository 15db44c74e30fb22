"""What is wrong in a file that a person wrote: the key, the mistake, and what is allowed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from python_runner.common.errors import StudyError

TableOf = TypeVar("TableOf", bound=BaseModel)

Place = Sequence[str | int]


def validated(root: type[TableOf], document: Mapping[str, Any], *, what: str, hint: str) -> TableOf:
    """The document of a file as the table that the file is.

    Args:
        root: that table.
        document: what the file says.
        what: kind and name of the file, for the message.
        hint: what its writer should do.

    Raises StudyError with a line for each problem.
    """
    try:
        return root.model_validate(document)
    except ValidationError as error:
        lines = "\n".join(f"  {line}" for line in explain(error, root))
        raise StudyError(f"{what}:\n{lines}", hint=hint) from error


def explain(error: ValidationError, root: type[BaseModel]) -> Iterator[str]:
    """One line for each problem. Entries of lists are counted from 1: `claims.#2.says`.

    Args:
        error: what pydantic found.
        root: the table that the file as a whole is.
    """
    for problem in error.errors():
        place = problem["loc"]
        key = _spell(place, root)
        if problem["type"] == "extra_forbidden":
            fields = list(_owner(place, root).model_fields)
            yield f"{key}: no such key; allowed: {', '.join(fields)}{near_name(place[-1], fields)}"
        elif problem["type"] == "missing":
            yield f"{key}: is missing ({_describe(place, root)})"
        elif problem["type"] == "union_tag_invalid":
            tags = problem["ctx"]["expected_tags"].replace("'", "").split(", ")
            tag = problem["ctx"]["tag"]
            yield f"{key}.kind = {tag!r}: allowed: {', '.join(tags)}{near_name(tag, tags)}"
        elif problem["type"] == "union_tag_not_found":
            yield f"{key}.kind: is missing"
        elif problem["type"] == "value_error":
            text = problem["msg"].removeprefix("Value error, ")
            # What is wrong with the file, or with a table of the first rank, names its keys itself.
            names_itself = len(place) < 2 and _table_at(place, root) is not None
            yield text if names_itself else f"{key}: {text}"
        else:
            what = _describe(place, root)
            yield f"{key} = {problem['input']!r}: {problem['msg'].lower()} ({what})"


def near_name(name: str | int, known: Iterable[str]) -> str:
    """What may have been meant, as a sentence to add; empty: nothing is near."""
    close = get_close_matches(str(name), list(known), n=1)
    return f". Did you mean {close[0]!r}?" if close else ""


def _spell(place: Place, root: type[BaseModel]) -> str:
    """The place as a person would write it: without the tags that pydantic puts in."""
    kind: Any = root
    parts = []
    for name in place:
        is_tag = _is_union(kind)
        kind = _step(kind, name)
        if not is_tag:
            parts.append(f"#{name + 1}" if isinstance(name, int) else name)
    return ".".join(parts)


def _step(kind: Any, name: str | int) -> Any:
    """The type of what lies at `name` within `kind`; None where that is not known."""
    kind = _bare(kind)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        field = kind.model_fields.get(str(name))
        return field.annotation if field else None
    if _is_union(kind):
        members = (_bare(member) for member in get_args(kind))
        return next((member for member in members if name in _tags(member)), None)
    if get_origin(kind) is dict:
        return get_args(kind)[1]
    if get_origin(kind) is tuple and isinstance(name, int):
        return get_args(kind)[0]
    return None


def _bare(kind: Any) -> Any:
    """A type without its annotations, and without `| None`."""
    if get_origin(kind) is Annotated:
        return _bare(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        rest = [one for one in get_args(kind) if one is not NoneType]
        return _bare(rest[0]) if len(rest) == 1 else kind
    return kind


def _is_union(kind: Any) -> bool:
    bare = _bare(kind)
    return get_origin(bare) in (Union, UnionType) and any(map(_tags, get_args(bare)))


def _tags(member: Any) -> tuple[str, ...]:
    """The values of `kind` by which a member of a union is known."""
    fields = getattr(member, "model_fields", {})
    kind = fields["kind"].annotation if "kind" in fields else None
    return get_args(kind) if get_origin(kind) is Literal else ()


def _table_at(place: Place, root: type[BaseModel]) -> type[BaseModel] | None:
    """The table that `place` names; None if it names a value."""
    kind: Any = root
    for name in place:
        kind = _step(kind, name)
    found = _bare(kind)
    return found if isinstance(found, type) and issubclass(found, BaseModel) else None


def _owner(place: Place, root: type[BaseModel]) -> type[BaseModel]:
    """The innermost table around the last key of `place`."""
    tables = (_table_at(place[:length], root) for length in range(len(place) - 1, -1, -1))
    return next((table for table in tables if table), root)


def _describe(place: Place, root: type[BaseModel]) -> str:
    fields = _owner(place, root).model_fields
    field = next((fields[str(name)] for name in reversed(place) if str(name) in fields), None)
    last = str(place[-1]) if place else ""
    return (field.description or last) if field else last
