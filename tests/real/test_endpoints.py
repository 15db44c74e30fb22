"""Servers that somebody else runs: as stacks, as what is none, and what is never written."""

from __future__ import annotations

import contextlib
import json
import socket
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from python_runner.common.locations import source_root
from python_runner.models import ReferenceTokenizer
from tests.real.command import Marked
from tests.real.odd_server import CERTIFICATE, OddServer, odd_server
from tests.unit.cli.conftest import Outcome, Polystack, polystack, results

__all__ = ["polystack", "results"]

KEY = "sk-odd-0123456789"
TINY = source_root() / "models" / "gemma-2-tiny"
BRIEF = ("--users", "1", "--requests", "3", "--new-tokens", "4", "--prompt-tokens", "8")
SHORT = ("--iterations", "2", "--blocks", "1", "--warmup", "1", "--new-tokens", "4")
Ask = Callable[[str], Outcome]


@pytest.fixture(scope="module")
def server() -> Iterator[OddServer]:
    with odd_server() as serving:
        yield serving


@pytest.fixture(scope="module")
def secure() -> Iterator[OddServer]:
    with odd_server(is_tls=True) as serving:
        yield serving


@pytest.fixture
def by_load(polystack: Polystack) -> Ask:
    def ask(url: str) -> Outcome:
        return polystack("load", "--url", url, "--model", "m", "--timeout", "1s", *BRIEF)

    return ask


@pytest.fixture
def by_compare(polystack: Polystack, tmp_path: Path) -> Ask:
    def ask(url: str) -> Outcome:
        study = study_file(tmp_path, hosted=f'url = "{url}"\nmodel = "m"\ntimeout = "1s"')
        return polystack("compare", str(study), "--stacks", "mock-cpp,hosted")

    return ask


def study_file(folder: Path, **endpoints: str) -> Path:
    text = (source_root() / "studies" / "demo.toml").read_text(encoding="utf-8")
    tables = (f"\n[endpoints.{name}]\n{table}\n" for name, table in endpoints.items())
    path = folder / "mine.toml"
    text = text.replace('allow_unfair = ["precision"]', 'allow_unfair = ["precision", "device"]')
    path.write_text(text + "".join(tables), encoding="utf-8")
    return path


def rows(folder: Path, query: str) -> list[Any]:
    with contextlib.closing(sqlite3.connect(folder / "polystack.sqlite")) as store:
        return store.execute(query).fetchall()


REFUSALS = [
    ("no-such-path", "status 404", "address of a server for language models"),
    ("page", "no stream (text/html)", "address of a server for language models"),
    ("json", "no stream (application/json)", "address of a server for language models"),
    ("wrong-key", "Incorrect API key", "--api-key-env"),
    ("forbidden", "status 403", "--api-key-env"),
    ("no-such-model", "The model `m` does not exist", "--model for the model"),
    ("too-many", "Rate limit reached", "takes no more requests from you for now"),
    ("too-many-wait", "Retry-After: 17", "takes no more requests from you for now"),
    ("broken", "status 500", "own log may say why"),
    ("starting", "status 503", "scales to zero"),
    ("moved", "https://elsewhere.example", "Give the address that it sends us on to"),
    ("silent", "no end of the answer after 1 s", "Allow more time"),
    ("hangs-up", "closed the connection", "address of a server for language models"),
]


@pytest.mark.parametrize("way", ["load", "compare"])
@pytest.mark.parametrize(("odd", "said", "hint"), REFUSALS)
def test_what_does_not_answer_is_told_and_nothing_is_measured(
    *, server: OddServer, results: Path, by_load: Ask, by_compare: Ask,
    odd: str, said: str, hint: str, way: str,
) -> None:  # fmt: skip
    outcome = (by_load if way == "load" else by_compare)(server.at(odd))
    printed = " ".join(outcome.err.split())
    assert outcome.code == 5, outcome.err
    assert said in printed
    assert hint in printed
    assert not results.exists()


def test_http_to_what_speaks_tls_and_the_other_way_round(
    server: OddServer, secure: OddServer, by_load: Ask, by_compare: Ask
) -> None:
    for ask in (by_load, by_compare):
        plain = ask(secure.at().replace("https", "http"))
        assert plain.code == 5
        assert "https://" in plain.err
        encrypted = ask(server.at().replace("http", "https"))
        assert encrypted.code == 5
        assert "write http:// in place of https://" in " ".join(encrypted.err.split())


def test_a_certificate_that_nobody_trusts(
    polystack: Polystack, secure: OddServer, by_compare: Ask
) -> None:
    for outcome in (
        polystack("load", "--url", secure.at(), *BRIEF),  # it is asked for its models, too
        polystack("load", "--url", secure.at(), "--model", "m", *BRIEF),
        by_compare(secure.at()),
    ):
        assert outcome.code == 5
        assert "certificate" in outcome.err
        assert "--ca-file" in outcome.err


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"220 mail.example ready\r\n", "not HTTP"),
        (b"", "closed the connection"),
    ],
)
def test_another_kind_of_service(by_compare: Ask, answer: bytes, said: str) -> None:
    with _says(answer) as url:
        outcome = by_compare(url)
    assert outcome.code == 5
    assert said in outcome.err
    assert "address of a server for language models" in " ".join(outcome.err.split())


def test_nobody_there(by_compare: Ask) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    outcome = by_compare(f"http://127.0.0.1:{port}")
    assert outcome.code == 5
    assert "Is the server up" in outcome.err
    outcome = by_compare("http://no-such-host.invalid:8000")
    assert outcome.code == 5
    assert "host's name" in " ".join(outcome.err.split())


def test_an_endpoint_beside_an_engine(
    polystack: Polystack, results: Path, secure: OddServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its row, its marks, what is not known of it, and its network apart."""
    tokenizer = ReferenceTokenizer(TINY)
    secure.prompt_tokens = lambda body: len(tokenizer.encode(str(body["prompt"])))
    monkeypatch.setenv("ODD_KEY", KEY)
    where = ("--endpoint", f"hosted={secure.at('repeats-the-key')}", "--ca-file", str(CERTIFICATE))
    given = ("compare", "demo", "--stacks", "mock-cpp", *where, "--api-key-env", "ODD_KEY", *SHORT)

    refused = polystack(*given)
    assert refused.code == 6
    assert "hosted's own, not known (hosted)" in refused.err
    assert "--allow-unfair device" in refused.err

    outcome = polystack(*given, "--allow-unfair", "device")
    assert outcome.code == 0, outcome.err
    assert "Not equal, and allowed to be (device)" in outcome.out
    assert "hosted, network apart: of the TTFT of" in outcome.out
    ((device, threads, model, network),) = rows(
        results,
        "SELECT device, threads, model, network_json FROM conditions WHERE stack = 'hosted'",
    )
    assert (device, threads, model) == ("not known", 0, "tgi")
    readings = json.loads(network)
    assert [each["when"] for each in readings] == ["before"] * 3 + ["after"] * 3
    for each in readings:
        assert each["error"] == ""
        assert min(each[part] for part in ("tcp_ns", "tls_ns", "round_trip_ns")) > 0
    assert rows(results, "SELECT network_json FROM conditions WHERE stack = 'mock-cpp'") == [
        ("[]",)
    ]
    shown = polystack("show", "latest")
    assert "a round trip" in shown.out
    assert "not known" in shown.out
    report = polystack("report", "latest", "--no-open")
    assert report.code == 0, report.err
    pages = [path.read_text() for path in results.rglob("report*") if path.suffix == ".md"]
    assert any("The network, apart" in page for page in pages)
    assert_nowhere(results, outcome.out, outcome.err, shown.out, report.out)


def test_an_endpoint_that_counts_nothing(
    polystack: Polystack, results: Path, server: OddServer
) -> None:
    where = ("--endpoint", f"hosted={server.at('counts-nothing')}", "--allow-unfair", "device")
    outcome = polystack("compare", "demo", "--stacks", "mock-cpp", *where, *SHORT)
    assert outcome.code == 5
    assert "does not say how many tokens" in outcome.err
    assert "--tokenizer" in outcome.err
    outcome = polystack(
        "compare", "demo", "--stacks", "mock-cpp", *where, *SHORT, "--tokenizer", str(TINY)
    )
    assert outcome.code == 0, outcome.err
    found = rows(
        results,
        "SELECT prompt_tokens, output_tokens, samples.error FROM samples "
        "JOIN conditions USING (condition_id) WHERE stack = 'hosted'",
    )
    assert found == [(-1, 4, "")] * 3
    assert "not known" in polystack("show", "latest").out


def test_what_is_refused_under_load_is_a_row(
    polystack: Polystack, results: Path, server: OddServer
) -> None:
    outcome = polystack(
        "load", "--url", server.at("busy-at-times"), "--users", "1", "--requests", "9", *BRIEF[4:]
    )
    assert outcome.code == 0, outcome.err
    refused = rows(results, "SELECT status, error FROM load_requests WHERE error_kind = 'status'")
    assert len(refused) == 3
    assert all(status == 429 and "Retry-After: 2" in error for status, error in refused)
    assert "3 of 9 requests failed" in outcome.out
    assert "network apart" in outcome.out


def test_the_key_is_written_nowhere(tmp_path: Path, secure: OddServer) -> None:
    """Neither by a load nor in the list of processes, whatever the server repeats."""
    run = Marked(tmp_path, {"ODD_KEY": KEY})
    words = ("--model", "m", "--ca-file", str(CERTIFICATE), "--api-key-env", "ODD_KEY", *BRIEF)
    with run.start("load", "--url", secure.at("repeats-the-key"), *words) as process:
        listed = Path(f"/proc/{process.pid}/cmdline").read_bytes()
        printed, _ = process.communicate(timeout=300)
    assert process.returncode == 0, printed
    assert KEY.encode() not in listed
    code, refused = run.run("load", "--url", secure.at("refuses-with-the-key"), *words)
    assert code == 5
    assert "wrong: Bearer ***" in refused
    assert_nowhere(tmp_path, printed, refused)


def assert_nowhere(folder: Path, *printed: str) -> None:
    for text in printed:
        assert KEY not in text
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert KEY.encode() not in path.read_bytes(), path


@contextlib.contextmanager
def _says(answer: bytes) -> Iterator[str]:
    from tests.real.test_load_command import says

    with says(answer) as url:
        yield url
