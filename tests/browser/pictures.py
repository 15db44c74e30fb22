"""Pictures of a page, for docs and for the eye: `python -m tests.browser.pictures PAGE FOLDER`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browser.conftest import PATIENCE_MS, chromium_path

WIDTHS = {1440: 900, 390: 844}
THEMES = ("light", "dark")


def take(browser: Browser, page_file: Path, folder: Path) -> None:
    """First screen and whole page, wide and narrow, in both themes, and each figure by itself."""
    for width, height in WIDTHS.items():
        for theme in THEMES:
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme="dark" if theme == "dark" else "light",
                reduced_motion="reduce",
            )
            page = context.new_page()
            page.goto(page_file.resolve().as_uri())
            page.wait_for_selector("html[data-figures]", state="attached", timeout=PATIENCE_MS)
            name = f"{page_file.stem}-{width}-{theme}"
            page.screenshot(path=folder / f"{name}.png")
            page.screenshot(path=folder / f"{name}-whole.png", full_page=True)
            # What stays on top of the page would lie on a figure.
            page.add_style_tag(content=".switches { position: static !important; }")
            for figure in page.locator(".figure").all():
                key = figure.get_attribute("id") or "figure"
                figure.screenshot(path=folder / f"{name}-{key}.png")
            context.close()


def main() -> None:
    page_file, folder = (Path(argument) for argument in sys.argv[1:3])
    folder.mkdir(parents=True, exist_ok=True)
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=options)
        take(browser, page_file, folder)
        browser.close()


if __name__ == "__main__":
    main()
