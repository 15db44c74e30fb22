"""The page's text, without a browser."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from python_runner.report.document import (
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
from python_runner.report.html import blocks_html, render, render_page
from python_runner.report.html.bundle import plotting_library, script_hash
from python_runner.report.html.text import address, inline, script_json

HOSTILE = "<script>alert(1)</script>"


class Parser(HTMLParser):
    """Collects elements, and the text of each script."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self._in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self._in_script = True
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.scripts[-1] += data


def parse(page: str) -> Parser:
    parser = Parser()
    parser.feed(page)
    return parser


def figure(key: str = "one") -> Figure:
    trace = {"type": "scatter", "x": [1], "y": [2], "name": HOSTILE, "legendgroup": HOSTILE}
    return Figure(
        key=key,
        title="A figure",
        alt="One point.",
        caption="How to read it.\nThe conditions.",
        plot={"data": [trace], "layout": {"height": 300}},
        table=Table(columns=[Column(title="Stack")], rows=[[Cell(text="a")]]),
    )


def document(*blocks: Paragraph | Points | Code | Table | Figure) -> Document:
    return Document(
        title="A report",
        answer=["First.", "Second."],
        marks=["random weights"],
        sections=[Section(key="part", title="A part", blocks=blocks)],
        footer="made by a test",
    )


def test_text_is_shown_as_it_is_with_code_between_backquotes() -> None:
    assert str(inline("a < b & `x <y>` ` open")) == "a &lt; b &amp; <code>x &lt;y&gt;</code> ` open"


@pytest.mark.parametrize(
    "link", ["https://example.org/a?b#c", "http://host", "runs/7.html", "#part", ""]
)
def test_links_that_open_something_are_kept(link: str) -> None:
    assert address(link) == link


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,x", "http://[bad"]
)
def test_links_that_could_run_something_are_dropped(link: str) -> None:
    assert address(link) == ""


@pytest.mark.parametrize("value", ["</script><!--", "a & b", "\u2028", 'quote " and \\', "ä"])
def test_json_cannot_end_its_element(value: str) -> None:
    text = str(script_json({"text": value}))
    assert not re.search(r"[<>&\u2028]", text)
    assert json.loads(text) == {"text": value}


def test_json_has_no_numbers_that_are_none() -> None:
    with pytest.raises(ValueError, match="Out of range"):
        script_json([float("nan")])


def test_a_page_has_no_way_out_and_knows_its_scripts() -> None:
    page = render(document(figure()))
    parsed = parse(page)
    (policy,) = (
        attributes["content"] or ""
        for tag, attributes in parsed.tags
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert "default-src 'none'" in policy
    assert "unsafe-eval" not in policy
    script_part = policy.split("script-src")[1].split(";")[0]
    assert "unsafe-inline" not in script_part
    kinds = [attributes.get("type") for tag, attributes in parsed.tags if tag == "script"]
    code = [text for text, kind in zip(parsed.scripts, kinds, strict=True) if kind is None]
    assert code
    assert all(script_hash(text) in script_part for text in code)
    assert plotting_library().hash in script_part


def test_nothing_is_loaded_and_no_handler_stands_in_the_markup() -> None:
    for tag, attributes in parse(render(document(figure()))).tags:
        assert tag not in {"link", "iframe", "img", "object", "embed", "base"}
        assert "src" not in attributes
        assert not [name for name in attributes if name.startswith("on")]


def test_what_was_measured_never_becomes_markup() -> None:
    table = Table(
        columns=[Column(title=HOSTILE, meaning=HOSTILE), Column(title="b")],
        rows=[[Cell(text=HOSTILE, note=HOSTILE), Cell(text="x", link=HOSTILE)]],
        caption=HOSTILE,
    )
    page = render(
        Document(
            title=HOSTILE,
            answer=[HOSTILE],
            marks=[HOSTILE],
            sections=[
                Section(
                    key="part",
                    title=HOSTILE,
                    blocks=[
                        Paragraph(text=HOSTILE),
                        Points(items=[HOSTILE]),
                        Code(text=HOSTILE),
                        table,
                        figure(),
                    ],
                )
            ],
            footer=HOSTILE,
        )
    )
    assert "alert(1)</script>" not in page
    assert not any(text.startswith("alert(1)") for text in parse(page).scripts)


def test_the_same_document_gives_the_same_page() -> None:
    assert render(document(figure())) == render(document(figure()))


def test_a_page_without_figures_is_small() -> None:
    assert len(render(document(Paragraph(text="no figure")))) < 60_000


def test_tones_are_said_in_words() -> None:
    tones = [Tone.PLAIN, Tone.GOOD, Tone.BAD, Tone.UNKNOWN]
    table = Table(
        columns=[Column(title="a")], rows=[[Cell(text=f"cell {tone}", tone=tone)] for tone in tones]
    )
    text = blocks_html([table])
    for word in ("good: ", "bad: ", "not known: "):
        assert f'<span class="unseen">{word}</span>' in text
    assert text.count('aria-hidden="true"') == 3


def test_the_answer_comes_first_and_marks_stand_with_every_figure() -> None:
    page = render(document(figure("one"), figure("two")))
    assert page.index("First.") < page.index('id="part"')
    assert page.count("<li>random weights</li>") == 3


def test_each_stack_has_one_switch() -> None:
    page = render(document(figure("one"), figure("two")))
    assert page.count("data-group=") == 1


def test_a_page_of_ones_own_has_its_script_and_its_data() -> None:
    page = render_page(
        title="Team & <staff>",
        body=f"<h1>Team</h1>{blocks_html([Paragraph(text='Who?')])}",
        script="console.log(window.polystack.data.weights);",
        data={"weights": {"latency": 0.5}, "name": "</script>"},
    )
    parsed = parse(page)
    assert "<title>Team &amp; &lt;staff&gt;</title>" in page
    assert any("window.polystack.data.weights" in text for text in parsed.scripts)
    assert '{"weights":{"latency":0.5},"name":"\\u003c/script\\u003e"}' in parsed.scripts
    assert "DecompressionStream" not in page
