"""Documents to look at, made from the golden frames."""

from __future__ import annotations

from collections.abc import Mapping

from python_runner.report.charts.data import chart_data
from python_runner.report.document import (
    Block,
    Cell,
    Code,
    Column,
    Document,
    Figure,
    Paragraph,
    Points,
    Section,
    Table,
    Tone,
)
from python_runner.report.facts import RunFacts
from python_runner.report.figures import comparison_figures, load_figures
from python_runner.report.load_data import load_data
from python_runner.report.load_facts import load_facts
from python_runner.store import Frames as StoredFrames
from tests.golden.cases import four
from tests.golden.frames import LLAMA_CPP, OLLAMA, Frames, build_frames, rename
from tests.golden.loads import LOADS

HOSTILE = "<script>alert(1)</script>"
NASTY = f"</script><!-- {HOSTILE} & <b>bold</b> $x_1$ %{{y}}"


def comparison_document(frames: Frames) -> Document:
    """A report on a comparison, about as the real one is."""
    data = chart_data(*frames)
    figures = comparison_figures(data)
    return _document("Four stacks, one model", data.facts, figures, _fairness())


def load_document(frames: StoredFrames) -> Document:
    """A report on a load."""
    data = load_data(frames)
    return _document("Two servers under load", load_facts(data), load_figures(data), _fairness())


def usual() -> Document:
    return comparison_document(four())


def under_load() -> Document:
    return load_document(LOADS["four"]())


def hostile() -> Document:
    """Names and answers that would be markup if anybody let them."""
    frames = build_frames(
        [
            rename(LLAMA_CPP, name=HOSTILE, title=HOSTILE, version=NASTY),
            rename(OLLAMA, failures={2: NASTY}),
        ]
    )
    document = comparison_document(frames)
    said = Section(
        key="said",
        title=HOSTILE,
        blocks=[
            Paragraph(text=NASTY),
            Paragraph(text=f"code: `{HOSTILE}`"),
            Code(text=NASTY),
            Points(items=[NASTY]),
            Table(
                columns=[Column(title=NASTY, meaning=NASTY), Column(title="Answer")],
                rows=[
                    [
                        Cell(text=HOSTILE, note=NASTY),
                        Cell(text="run", link="javascript:alert(1)", tone=Tone.BAD),
                    ]
                ],
                caption=NASTY,
            ),
        ],
    )
    return Document(
        title=HOSTILE,
        answer=[NASTY],
        marks=[HOSTILE],
        sections=[*document.sections, said],
        footer=NASTY,
    )


def _document(
    title: str, facts: RunFacts, figures: Mapping[str, Figure], fairness: Table
) -> Document:
    repeat: list[Block] = [
        Paragraph(text="The command and the study that it ran:"),
        Code(text="polystack compare languages --iterations 10 --blocks 5 --threads 2"),
        Points(items=["the same machine, idle", "the same build: `polystack build` says which"]),
    ]
    return Document(
        title=title,
        answer=[
            "transformers is fastest of the embedded stacks: 6.99 s for a request; llama.cpp takes "
            "1.11 times as long.",
            "Ollama, over HTTP, takes 8.28 s; it does not compare with those directly.",
        ],
        marks=["random weights", "not equal: precision"],
        sections=[
            Section(key="latency", title="Latency", blocks=list(figures.values())),
            Section(
                key="fairness",
                title="What was equal",
                blocks=[
                    Paragraph(text="What differs is marked.", is_warning=True),
                    Paragraph(text="Criteria of `polystack fairness`:"),
                    fairness,
                ],
            ),
            Section(key="repeat", title="How to repeat it", blocks=repeat),
        ],
        footer="polystack 0.1.0, run 7, `results/`",
    )


def _fairness() -> Table:
    columns = [
        Column(title="Criterion", meaning="what is held equal"),
        Column(title="llama.cpp"),
        Column(title="Ollama"),
        Column(title="mistral.rs (wheel)"),
        Column(title="transformers"),
        Column(title="Load (s)", meaning="median of the loads", is_number=True),
    ]
    rows = [
        ("Weights", "16 bits", "16 bits", "32 bits", "16 bits", Tone.BAD, 12.5),
        ("Threads", "2", "2", "2", "2", Tone.GOOD, 3.25),
        ("CPU flags", "native", "native", "not known", "torch's own", Tone.UNKNOWN, 101.0),
    ]
    return Table(
        columns=columns,
        rows=[
            [
                Cell(text=name),
                *(Cell(text=word) for word in words[:-1]),
                Cell(text=words[-1], tone=tone, note="Read from the process, not from its help."),
                Cell(text=f"{seconds:g}", value=seconds),
            ]
            for name, *words, tone, seconds in rows
        ],
        caption="Equal, different or not known",
    )
