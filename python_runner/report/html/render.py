"""A document as one HTML file that needs nothing else: no network, no other file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from python_runner.report.document import Block, Document, Figure
from python_runner.report.html.bundle import asset, plotting_library, script_hash
from python_runner.report.html.look import theme_css
from python_runner.report.html.switches import switches
from python_runner.report.html.text import address, glyph, inline, script_json
from python_runner.report.palette import dark_twins

_HOLDS_FIGURES = ' data-figure="'
_NOTHING: Mapping[str, object] = MappingProxyType({})


def render(document: Document) -> str:
    """The page of a report."""
    body = (
        _environment()
        .get_template("report.html.j2")
        .render(document=document, stacks=switches(document), blocks=_blocks)
    )
    return render_page(
        title=document.title,
        body=body,
        contents=[(section.key, section.title) for section in document.sections],
        footer=document.footer,
    )


def render_page(
    *,
    title: str,
    body: str,
    script: str = "",
    data: Mapping[str, object] = _NOTHING,
    contents: Sequence[tuple[str, str]] = (),
    footer: str = "",
) -> str:
    """A page with the project's style, its theme switch and a policy that forbids all network.

    Args:
        title: of the page; plain text.
        body: HTML of its content, safe already (`blocks_html` gives such), with one `h1`.
        script: a script of the page's own, run after the others; no inline handlers, no `eval`.
        data: for that script, as `window.polystack.data`; finite numbers and texts.
        contents: anchor and name of each section, for the list of contents.
        footer: plain text.

    Returns:
        The whole file. Plotly's library is in it only if `body` holds a figure.
    """
    has_figures = _HOLDS_FIGURES in body
    scripts = [asset("page.js"), *([asset("figures.js")] if has_figures else [])]
    scripts += [script] if script else []
    early = asset("early.js")
    hashes = [script_hash(text) for text in (early, *scripts)]
    if has_figures:
        hashes.append(plotting_library().hash)
    return (
        _environment()
        .get_template("shell.html.j2")
        .render(
            title=title,
            body=Markup(body),  # noqa: S704 - the caller's part, see above
            policy=Markup(_policy(hashes)),  # noqa: S704 - hashes and constants
            style=Markup(f"{theme_css()}\n{asset('page.css')}"),  # noqa: S704 - our own files
            early=Markup(early),  # noqa: S704
            scripts=[Markup(text) for text in scripts],  # noqa: S704
            plotting=Markup(plotting_library().packed) if has_figures else "",  # noqa: S704 - base64
            data=script_json(dict(data)),
            dark=script_json(dark_twins()),
            contents=contents,
            footer=footer,
        )
    )


def blocks_html(blocks: Sequence[Block], *, marks: Sequence[str] = ()) -> str:
    """Blocks as HTML that is safe to put into a page's body.

    Args:
        blocks: in reading order; figures get headings of the third rank.
        marks: what stands beside every figure among them.
    """
    return str(_blocks(blocks, marks))


def _blocks(blocks: Sequence[Block], marks: Sequence[str]) -> Markup:
    text = _environment().get_template("blocks.html.j2").render(blocks=blocks, marks=marks)
    return Markup(text)  # noqa: S704 - rendered with escaping on


def _policy(script_hashes: Sequence[str]) -> str:
    """Nothing from anywhere, and only our own scripts. Plotly sets styles on what it draws."""
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {' '.join(script_hashes)}",
            "style-src 'unsafe-inline'",
            "img-src data: blob:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("python_runner.report.html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., object]] = {
        "inline": inline,
        "address": address,
        "glyph": glyph,
        "json": script_json,
        "kind": lambda block: type(block).__name__,
        "height": _height,
    }
    environment.filters |= filters
    return environment


def _height(figure: Figure) -> int:
    """Pixels to keep free until the figure is drawn, so that the page does not jump."""
    return int(figure.plot.get("layout", {}).get("height", 400))
