"""What a model or a server says is shown as text: in pages, tables, files and the terminal."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from python_runner.common.locations import source_root
from python_runner.models import ReferenceTokenizer
from tests.browser.conftest import PATIENCE_MS, chromium_path
from tests.faults.fault import fault
from tests.real.command import Marked
from tests.real.odd_server import OddServer, odd_server

TINY = source_root() / "models" / "gemma-2-tiny"
WORDS = (
    "=cmd|'/C calc'!A0 </script><script>alert(1)</script>"
    "\"'><img src=x onerror=alert(2)> [x](javascript:alert(3)) @everyone `code` ${alert(4)} "
    "\u2028\u2029 \x1b]0;owned\x07\x1b[2J\x1b[31m\r\u202e | cell"
)
BRIEF = ("--iterations", "2", "--blocks", "1", "--warmup", "1", "--new-tokens", "2")
FORMULAS = ("=", "+", "-", "@", "\t", "\r")


@pytest.fixture(scope="module")
def server() -> Iterator[OddServer]:
    tokenizer = ReferenceTokenizer(TINY)
    with odd_server() as serving:
        serving.prompt_tokens = lambda body: len(tokenizer.encode(str(body["prompt"])))
        serving.words = WORDS
        yield serving


def assert_plain(text: str) -> None:
    for sign in ("\x1b", "\x07", "\r", "\u202e"):
        assert sign not in text


@fault(
    "a model answers with scripts, links, formulas and escapes",
    injected="an endpoint whose every token ends a script, opens one, breaks out of an attribute, "
    "is a formula, and sets the terminal's title",
    seen="the answers as text, in the terminal, the page, Markdown and CSV; exit code 0",
    kept="all; no script of theirs runs in Chromium, and nothing is asked of the net",
)
def test_answers_are_shown_as_text(tmp_path: Path, server: OddServer) -> None:
    run = Marked(tmp_path)
    endpoint = ("--endpoint", f"hosted={server.at('says')}", "--allow-unfair", "device")
    code, printed = run.run("compare", "demo", "--stacks", "mock-cpp", *endpoint, *BRIEF)
    assert code in {0, 5}, printed
    assert_plain(printed)
    code, shown = run.run("show", "latest")
    assert code == 0, shown
    assert_plain(shown)
    code, printed = run.run(
        "report", "latest", "--format", "html,md,json,csv", "--no-open", "-o", str(tmp_path / "r")
    )
    assert code == 0, printed
    assert_plain((tmp_path / "r" / "report.md").read_text(encoding="utf-8"))
    for path in (tmp_path / "r").glob("*.csv"):
        with path.open(newline="", encoding="utf-8") as file:
            for cell in (cell for row in csv.reader(file) for cell in row):
                assert not cell.startswith(FORMULAS) or _is_number(cell), f"{path.name}: {cell}"
    assert_no_script_runs(tmp_path / "r" / "report.html")


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def assert_no_script_runs(page_file: Path) -> None:
    asked: list[str] = []
    errors: list[str] = []
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=options)
        page = browser.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.add_init_script("window.alert = (words) => { window.alerted = words; };")
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: errors.append(message.text))
        page.goto(page_file.as_uri())
        page.wait_for_selector("html[data-figures]", state="attached")
        assert page.evaluate("() => window.alerted") is None
        assert page.locator("img[onerror]").count() == 0
        assert page.locator("a[href^='javascript']").count() == 0
        policy = page.locator("meta[http-equiv=Content-Security-Policy]").get_attribute("content")
        browser.close()
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]
    assert [url for url in asked if not url.startswith(("file:", "blob:", "data:"))] == []
    assert errors == []


@fault(
    "a server's refusal steers the terminal, or is a page of them",
    injected="400 with escape sequences that set the title and clear the screen",
    seen="the words with a sign for each escape; exit code 5",
    kept="nothing was begun",
)
@pytest.mark.parametrize("way", ["load", "compare"])
def test_a_refusal_is_shown_as_text(tmp_path: Path, server: OddServer, way: str) -> None:
    url = server.at("refuses-with-words")
    asked: tuple[str, ...] = ("--url", url, "--model", "m", "--users", "1", "--requests", "2")
    if way == "compare":
        asked = ("demo", "--stacks", "mock-cpp", "--endpoint", f"hosted={url}")
        asked = (*asked, "--endpoint-model", "m")
    code, printed = Marked(tmp_path).run(way, *asked)
    assert code == 5, printed
    assert "owned" in printed
    assert_plain(printed)
