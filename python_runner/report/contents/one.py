"""One run: its title, its first paragraph, its marks and its sections."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from python_runner.analyse.fairness import marks
from python_runner.report.answers import STRUCK, struck_of
from python_runner.report.contents.answer import answer
from python_runner.report.contents.background import environment_section, repeat_section
from python_runner.report.contents.beside import ggml_section, pair_section, serving_section
from python_runner.report.contents.fairness import fairness_section
from python_runner.report.contents.findings import (
    CLAIMS_TITLE,
    ablations_section,
    answers_section,
    claims_section,
)
from python_runner.report.contents.load import load_answer, load_sections
from python_runner.report.contents.network import network_section
from python_runner.report.contents.pictures import figures_of
from python_runner.report.contents.published import published_section
from python_runner.report.contents.reported import Reported, ReportedComparison, ReportedLoad
from python_runner.report.contents.stacks import stack_blocks
from python_runner.report.contents.time import time_section
from python_runner.report.document import Paragraph, Section
from python_runner.report.facts import RANDOM_WARNING, TINY_WARNING
from python_runner.report.words.time import is_crowd_told

_CHARTS = (
    ("baseline", "Latency of each stack", ("baseline", "baseline-zoomed")),
    ("iterations", "Every iteration", ("iterations", "iterations-zoomed")),
    ("distributions", "Distributions of TTFT, ITL and TPOT", ("distributions",)),
    ("tokens", "Latency token by token", ("tokens",)),
)
"""Key and title of a section, and the keys of its figures."""


def title_of(run: Reported) -> str:
    """`Run 3: matched, Gemma-2-2B shape, random weights`."""
    return f"Run {run.facts.run_id}: {run.run['study']}, {run.facts.model}"


def answer_of(run: Reported) -> tuple[str, ...]:
    """What the data support, first of all."""
    return tuple(load_answer(run)) if isinstance(run, ReportedLoad) else answer(run)


def sections_of(run: Reported) -> Sequence[Section]:
    """All parts that this run has, in reading order."""
    if isinstance(run, ReportedLoad):
        return tuple(load_sections(run, figures_of(run)))
    return tuple(section for section in _sections(run) if section is not None)


def marks_of(run: Reported) -> tuple[str, ...]:
    """What must stand beside every figure of the run, in a few words each."""
    return tuple(dict.fromkeys(_marks(run)))


def _sections(run: ReportedComparison) -> Iterator[Section | None]:
    figures = figures_of(run)
    yield Section(key="figures", title="The figures", blocks=list(stack_blocks(run)))
    yield published_section(run.table) if run.table is not None else None
    for key, title, names in _CHARTS:
        blocks = [figures[name] for name in names if name in figures]
        yield Section(key=key, title=title, blocks=blocks) if blocks else None
    yield pair_section(run)
    yield fairness_section(run.frames.conditions)
    yield network_section(run.frames.conditions)
    yield time_section(run, figures)
    yield serving_section(run)
    yield ablations_section(run)
    yield ggml_section(run)
    yield answers_section(run)
    yield _claims(run)
    yield environment_section(run.frames.conditions, run.run)
    yield repeat_section(run.run, run.study)


def _claims(run: ReportedComparison) -> Section | None:
    if run.claims is not None:
        return claims_section(run.claims)
    if not run.study.get("claims"):
        return None
    text = f"The claims of its study could not be judged: {run.claims_lack or 'nobody has'}."
    return Section(key="claims", title=CLAIMS_TITLE, blocks=[Paragraph(text=text)])


def _marks(run: Reported) -> Iterator[str]:
    if RANDOM_WARNING in run.facts.warnings:
        yield "random weights"
    if TINY_WARNING in run.facts.warnings:
        yield "tiny model: says nothing about languages"
    if is_crowd_told(run.facts.warnings):
        yield "measured while the machine was not quiet"
    if run.run["status"] != "complete":
        yield f"run is marked as {run.run['status']}"
    conditions = run.frames.conditions
    if unequal := list(marks(conditions, run.run)):
        yield f"not equal: {', '.join(unequal)}"
    struck = [str(row["title"]) for row in conditions.to_dict("records") if struck_of(row)]
    if struck:
        yield f"{STRUCK}: {', '.join(struck)}"
