"""The colours of a page, from the palette: as CSS for the text, as a table for the figures."""

from __future__ import annotations

from python_runner.report.palette import (
    GRID,
    INK,
    LANGUAGES,
    PAPER,
    QUIET,
    WARNING,
    dark_twins,
)

_LIGHT = {
    "paper": PAPER,
    "ink": INK,
    "quiet": QUIET,
    "rule": GRID,
    "warning": WARNING,
    "line": "#B9C0C8",
    "shade": "#F4F6F8",
    "link": "#0B4F94",
    "focus": "#1D6FD1",
    "good": "#1B6B3A",
}
_DARK = {
    **{name: dark_twins()[_LIGHT[name]] for name in ("paper", "ink", "quiet", "rule", "warning")},
    "line": "#4A535D",
    "shade": "#1D232A",
    "link": "#8CBBF2",
    "focus": "#7DB2F5",
    "good": "#7CCB97",
}


def theme_css() -> str:
    """Variables for both themes: the system's choice, unless the reader made one."""
    dark = _block({**_DARK, **_swatches(is_dark=True)}, "dark")
    return "\n".join(
        [
            f":root {{{_block({**_LIGHT, **_swatches(is_dark=False)}, 'light')}}}",
            "@media screen and (prefers-color-scheme: dark) {",
            f':root:not([data-theme="light"]) {{{dark}}}',
            "}",
            f'@media screen {{ :root[data-theme="dark"] {{{dark}}} }}',
        ]
    )


def swatch(color: str) -> str:
    """A colour of the palette as CSS that follows the theme; any other as it is."""
    known = {look.color for look in LANGUAGES.values()} | {QUIET}
    return f"var(--c{color[1:]})" if color in known else color


def _swatches(*, is_dark: bool) -> dict[str, str]:
    twins = dark_twins()
    colors = [*(look.color for look in LANGUAGES.values()), QUIET]
    return {f"c{color[1:]}": twins[color] if is_dark else color for color in colors}


def _block(colors: dict[str, str], scheme: str) -> str:
    declared = "; ".join(f"--{name}: {color}" for name, color in colors.items())
    return f" {declared}; color-scheme: {scheme}; "
