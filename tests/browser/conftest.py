"""One browser for all tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = (
    "no Chromium found: the browser tests need one. On Debian and Ubuntu: "
    "`apt-get install chromium`; elsewhere name it in the variable POLYSTACK_CHROMIUM."
)


def chromium_path() -> str:
    """The browser that the system has; fails the test if it has none."""
    named = os.environ.get("POLYSTACK_CHROMIUM")
    found = named or next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None or not Path(found).is_file():
        pytest.fail(MISSING)
    return found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium_path()
    # Chromium refuses root without this; elsewhere its sandbox stays on.
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=options)
        yield browser
        browser.close()
