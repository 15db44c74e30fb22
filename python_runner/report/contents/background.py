"""The environment, and how to repeat a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from python_runner.report.contents.cells import column, said
from python_runner.report.document import Block, Cell, Code, Paragraph, Section, Table
from python_runner.report.words.conditions import condition_pairs, stack_pairs
from python_runner.store import RunKind
from python_runner.study import study_toml


def environment_section(conditions: pd.DataFrame, run: Mapping[Any, Any]) -> Section:
    """Machine, conditions, and the version and build of every stack."""
    blocks: list[Block] = [
        _named(condition_pairs(conditions, run), "The run and its machine"),
        *(
            _named(
                {"version": str(row["version"]) or "never started", **stack_pairs(row)},
                f"{row['title']}, {row['language']}, {row['reach']}",
            )
            for row in conditions.to_dict(orient="records")
        ),
    ]
    return Section(key="environment", title="The environment", blocks=blocks)


def _named(pairs: Mapping[str, str], caption: str) -> Table:
    rows = [[Cell(text=name), said(value)] for name, value in pairs.items() if value]
    return Table(columns=(column("what"), column("value")), rows=rows, caption=caption)


def repeat_section(run: Mapping[Any, Any], study: Mapping[str, Any]) -> Section:
    """The command as it was typed, and the study as it was kept."""
    return Section(key="repeat", title="How to repeat it", blocks=list(_repeat(run, study)))


def study_file(run_id: int) -> str:
    """Name of the file that the study of a run may be kept in."""
    return f"run-{run_id}.toml"


def _repeat(run: Mapping[Any, Any], study: Mapping[str, Any]) -> Iterator[Block]:
    run_id = int(run["run_id"])
    if command := str(run.get("command") or ""):
        yield Paragraph(text="It was made by this command:")
        yield Code(text=command)
    else:
        yield Paragraph(text="The command was not kept with this run; its study was.")
    if not study.get("stacks"):
        yield Paragraph(text="Its study was not kept in full, so it cannot be repeated from here.")
        return
    name = study_file(run_id)
    is_load = run.get("kind") == RunKind.LOAD.value
    again = f"polystack load --study {name}" if is_load else f"polystack compare {name}"
    yield Paragraph(
        text=f"The same study, with all options in it, whatever `{study.get('name', '')}` says by "
        f"then. Keep it as `{name}` and type:"
    )
    yield Code(text=again)
    yield Code(text=study_toml(study))
    yield Paragraph(
        text=f"The program was polystack {run['program_version']}. The figures belong to the "
        "machine above and to what it did meanwhile; `polystack diff` says whether a "
        "repetition differs by more than that."
    )


def footer(runs: pd.DataFrame) -> str:
    """Who made it, from what, when."""
    parts = [
        f"run {row['run_id']} ({row['study']}, {str(row['created'])[:16].replace('T', ' ')} UTC)"
        for row in runs.to_dict(orient="records")
    ]
    versions = ", ".join(dict.fromkeys(str(version) for version in runs["program_version"]))
    return f"Made by polystack {versions} from {', '.join(parts)}."
