"""One browser for all tests, and pages that are built once."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, sync_playwright

from python_runner.report.html import render
from tests.browser.pages import hostile, under_load, usual

NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = (
    "no Chromium found: the browser tests need one. On Debian and Ubuntu: "
    "`apt-get install chromium`; elsewhere name it in the variable POLYSTACK_CHROMIUM."
)
FITS = """isDark => Array.from(document.querySelectorAll("[data-figure]")).every((place) =>
    (place._fullLayout.paper_bgcolor !== "#FFFFFF") === isDark
    && Math.abs(place._fullLayout.width - place.clientWidth) < 2)"""
"""Whether every figure has the page's theme and width."""
PATIENCE_MS = 60_000
"""How long a loaded machine may take to draw a page."""


def chromium_path() -> str:
    """The browser that the system has; fails the test if it has none."""
    named = os.environ.get("POLYSTACK_CHROMIUM")
    found = named or next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None or not Path(found).is_file():
        pytest.fail(MISSING)
    return found


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    path = chromium_path()
    # Chromium refuses root without this; elsewhere its sandbox stays on.
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=options)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every page as a file, as a reader has it."""
    folder = tmp_path_factory.mktemp("pages")
    made = {"usual": usual, "load": under_load, "hostile": hostile}
    for name, make in made.items():
        (folder / f"{name}.html").write_text(render(make()), encoding="utf-8")
    return {name: folder / f"{name}.html" for name in made}


@dataclass
class Visit:
    """A page that is open, and what went wrong on it."""

    page: Page
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    """Addresses other than the file itself."""

    def drawn(self) -> Visit:
        """Wait until every figure is there."""
        self.page.wait_for_selector("html[data-figures]", timeout=PATIENCE_MS, state="attached")
        return self


Open = Callable[..., Visit]


@pytest.fixture(scope="package")
def visit(browser: Browser, files: dict[str, Path]) -> Open:
    """Open a page in a context of its own: `visit("usual", width=390, theme="dark")`."""

    def open_page(
        name: str,
        *,
        width: int = 1440,
        height: int = 900,
        theme: str = "light",
        scripts: bool = True,
    ) -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if theme == "dark" else "light",
            java_script_enabled=scripts,
        )
        context.set_default_timeout(PATIENCE_MS)
        seen = Visit(page=context.new_page())
        address = files[name].as_uri()

        def check(route: Route) -> None:
            if route.request.url.split("#")[0] == address:
                route.continue_()
            else:
                seen.requests.append(route.request.url)
                route.abort()

        context.route("**/*", check)
        seen.page.on("console", lambda message: _note(seen, message.type, message.text))
        seen.page.add_init_script("window.alert = (words) => { window.alerted = words; };")
        seen.page.on("pageerror", lambda error: seen.errors.append(str(error)))
        seen.page.goto(address)
        return seen

    return open_page


def _note(seen: Visit, kind: str, text: str) -> None:
    if kind in {"error", "warning"}:
        seen.errors.append(text)


Shared = Callable[..., Visit]


@pytest.fixture(scope="package")
def shared(visit: Open) -> Shared:
    """A page that tests share, since drawing takes seconds: `shared("usual", width=390)`.

    It comes in the size and the theme that are asked for; tests leave all else as it was.
    """
    opened: dict[str, Visit] = {}

    def get(name: str, *, width: int = 1440, height: int = 900, theme: str = "light") -> Visit:
        if name not in opened:
            opened[name] = visit(name).drawn()
        page = opened[name].page
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        page.wait_for_function(FITS, arg=theme == "dark", timeout=PATIENCE_MS)
        return opened[name]

    return get


@pytest.fixture
def fresh(visit: Open) -> Iterator[Open]:
    """As `visit`, for tests that change what a page keeps; closed at the end of the test."""
    opened: list[Visit] = []

    def open_page(name: str, **options: object) -> Visit:
        opened.append(visit(name, **options))
        return opened[-1]

    yield open_page
    for one in opened:
        one.page.context.close()
