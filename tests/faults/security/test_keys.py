"""A key is sent to its server and stands nowhere else; a prompt stands in the store only."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from python_runner.common.locations import cache_dir, source_root
from python_runner.models import ReferenceTokenizer
from tests.faults.fault import fault
from tests.faults.security.canaries import KEY, PROMPT, files_with, prompts_file
from tests.real.command import TIMEOUT_S, Marked
from tests.real.odd_server import CERTIFICATE, OddServer, odd_server
from tests.unit.cli.conftest import Polystack, polystack, results

__all__ = ["polystack", "results"]

TINY = source_root() / "models" / "gemma-2-tiny"
ENVIRONMENT = {"HOSTED_KEY": KEY, "HEADER_OF_MINE": f"Authorization: Bearer {KEY}"}
SHORT = ("--iterations", "2", "--blocks", "1", "--warmup", "1", "--new-tokens", "4")
_LOOK_S = 0.02
STORE = {"polystack.sqlite", "polystack.sqlite-wal"}


@pytest.fixture(scope="module")
def secure() -> Iterator[OddServer]:
    tokenizer = ReferenceTokenizer(TINY)
    with odd_server(is_tls=True) as serving:
        serving.prompt_tokens = lambda body: len(tokenizer.encode(str(body["prompt"])))
        yield serving


@dataclass
class Seen:
    """Everything that other programs of this user could read of running processes."""

    commands: set[str] = field(default_factory=set)
    environments: set[str] = field(default_factory=set)
    """Of children; the workbench itself was given the key."""
    limits: set[tuple[int, int]] = field(default_factory=set)
    """For core files."""


@contextmanager
def watched(process: subprocess.Popen[str]) -> Iterator[Seen]:
    """What is seen of the process and its children until the block ends."""
    seen, is_over = Seen(), threading.Event()

    def look() -> None:
        top = psutil.Process(process.pid)
        while not is_over.wait(_LOOK_S):
            try:
                children = top.children(recursive=True)
                seen.commands.add(" ".join(top.cmdline()))
            except psutil.Error:
                return
            for child in children:
                try:
                    command = " ".join(child.cmdline())
                    # Between fork and exec a child is still a copy of us.
                    if not command or command in seen.commands:
                        continue
                    seen.environments.add(str(child.environ()))
                    seen.limits.add(child.rlimit(psutil.RLIMIT_CORE))
                    seen.commands.add(command)
                except psutil.Error:
                    continue

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        is_over.set()
        thread.join()


def compare(secure: OddServer, folder: Path) -> tuple[str, ...]:
    where = ("--endpoint", f"hosted={secure.at('repeats-the-key')}", "--ca-file", str(CERTIFICATE))
    how = ("--api-key-env", "HOSTED_KEY", "--allow-unfair", "device", "--no-answers", *SHORT)
    asked = ("--prompts", str(prompts_file(folder)), "--allow-unfair", "prompt-tokens")
    return ("compare", "demo", "--stacks", "llama-server", "--threads", "1", *where, *asked, *how)


@fault(
    "an endpoint repeats the key it was sent, in its answers and headers",
    injected="a server over TLS, beside llama-server; a second variable repeats the key as well",
    seen="the comparison, with `***` in place of the key; exit code 0",
    kept="all samples; the key in no file, log, report, process list or child's environment, "
    "prompts in the store alone",
)
def test_keys_and_prompts_stand_nowhere_they_should_not(tmp_path: Path, secure: OddServer) -> None:
    logs_before = {path: path.stat().st_mtime_ns for path in (cache_dir() / "logs").rglob("*")}
    given, folder = tmp_path / "given", tmp_path / "work"
    given.mkdir()
    folder.mkdir()
    run = Marked(folder, ENVIRONMENT)
    with run.start(*compare(secure, given)) as process, watched(process) as seen:
        printed, _ = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 0, printed
    assert any("llama-server" in command for command in seen.commands)
    for text in (printed, *seen.commands, *seen.environments):
        assert KEY not in text
        assert PROMPT not in text
    assert {soft for soft, _ in seen.limits} == {0}, "an engine may leave a core file"

    code, reported = run.run("report", "latest", "--format", "html,md,json", "--no-open")
    assert code == 0, reported
    fresh = [
        path
        for path in (cache_dir() / "logs").rglob("*")
        if path.is_file() and logs_before.get(path) != path.stat().st_mtime_ns
    ]
    assert not [path for path in fresh if KEY.encode() in path.read_bytes()]
    assert not list(files_with(KEY, folder))
    assert KEY not in reported
    assert {path.name for path in files_with(PROMPT, folder)} <= STORE
    assert list(files_with(PROMPT, folder)), "a sample without its prompt says little"

    code, exported = run.run("export", "latest", "--format", "json", "-o", str(folder / "x.json"))
    assert code == 0, exported
    assert not list(files_with(KEY, folder))


@fault(
    "a server refuses the key, and repeats it in its refusal",
    injected="401 with the header in its body, in `load` and in `compare`",
    seen="one sentence with `***` in place of the key and what to do; exit code 5",
    kept="nothing was begun; the key is in no file",
)
@pytest.mark.parametrize("way", ["load", "compare"])
def test_a_key_that_is_refused(tmp_path: Path, secure: OddServer, way: str) -> None:
    url, trust = secure.at("refuses-with-the-key"), ("--ca-file", str(CERTIFICATE))
    asked: tuple[str, ...] = ("--url", url, "--model", "m", "--users", "1", "--requests", "2")
    if way == "compare":
        asked = ("demo", "--stacks", "mock-cpp", "--endpoint", f"hosted={url}")
        asked = (*asked, "--endpoint-model", "m")
    code, printed = Marked(tmp_path, ENVIRONMENT).run(
        way, *asked, *trust, "--api-key-env", "HOSTED_KEY"
    )
    assert code == 5, printed
    assert "wrong: Bearer ***" in printed
    assert KEY not in printed
    assert not list(files_with(KEY, tmp_path))


CRASHES = {
    "raise": "raise RuntimeError('injected')",
    "abort": "import os; os.abort()",
}
_PROGRAM = """
import sys
from python_runner.store import open_run
def crash(*_args, **_options):
    {crash}
open_run.OpenRun.finish = crash
from python_runner.cli import main
sys.argv = ["polystack", *sys.argv[1:]]
main()
"""


@pytest.mark.parametrize(
    "how",
    [
        pytest.param(
            "raise",
            marks=fault(
                "the workbench has a mistake of its own while it holds a key",
                injected="an exception where a stack is finished, under `python -X dev`",
                seen="a traceback without the key and without prompts",
                kept="the samples so far",
            ),
        ),
        pytest.param(
            "abort",
            marks=fault(
                "the workbench is ended by SIGABRT while it holds a key",
                injected="abort() where a stack is finished, under `python -X dev`, with core "
                "files allowed by the shell",
                seen="the lines of code that ran, without key and prompts; no core file",
                kept="the samples so far",
            ),
        ),
    ],
)
def test_a_crash_tells_no_secret(tmp_path: Path, secure: OddServer, how: str) -> None:
    given, folder = tmp_path / "given", tmp_path / "work"
    given.mkdir()
    folder.mkdir()
    words = list(compare(secure, given))
    words[words.index("llama-server")] = "mock-cpp"
    program = _PROGRAM.format(crash=CRASHES[how])
    shell = 'ulimit -c "$(ulimit -H -c)"; exec "$@"'
    ended = subprocess.run(
        ["sh", "-c", shell, "sh", sys.executable, "-X", "dev", "-c", program, *words],
        cwd=folder,
        env=Marked(folder, {**ENVIRONMENT, "PYTHONWARNINGS": "ignore"}).environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
    )
    said = ended.stdout + ended.stderr
    assert ended.returncode != 0, said
    assert ("injected" if how == "raise" else "Fatal Python error") in said
    for word in (KEY, PROMPT):
        assert word not in said
    assert not list(files_with(KEY, folder))
    assert {path.name for path in files_with(PROMPT, folder)} <= STORE
    assert not list(folder.rglob("core*"))
    assert (folder / "results" / "polystack.sqlite").is_file()


_HOLDS_A_KEY = """
import ctypes, resource, sys
from python_runner.common.dumps import forbid_core_dumps
from python_runner.engines.outside import key_headers
asked = ctypes.CDLL(None).prctl
before = asked(3, 0, 0, 0, 0)
forbid_core_dumps()
key_headers("HOSTED_KEY")
print(before, asked(3, 0, 0, 0, 0), resource.getrlimit(resource.RLIMIT_CORE)[0])
"""


@fault(
    "another program of the same user wants to read the workbench's memory, or its dump",
    injected="the kernel's marks of a process that has just read a key",
    seen="nothing; the process is marked as not to be dumped, and no core file may be written",
    kept="everything",
)
def test_a_process_with_a_key_hides_its_memory(tmp_path: Path) -> None:
    environment = Marked(tmp_path, ENVIRONMENT).environment()
    said = subprocess.run(
        [sys.executable, "-c", _HOLDS_A_KEY],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.split() == ["1", "0", "0"]


@fault(
    "a key is typed where it would be kept: in a URL, in place of a variable's name, or in a "
    "variable that engines inherit",
    injected="such options of `load` and `compare`, and such a study",
    seen="one sentence that does not repeat the key, and what to do; exit code 2",
    kept="nothing was begun: no store is made",
)
@pytest.mark.parametrize(
    "words",
    [
        ("load", "--url", f"https://me:{KEY}@host.invalid"),
        ("load", "--url", f"https://host.invalid?api_key={KEY}", "--model", "m"),
        ("load", "--url", "https://host.invalid", "--api-key-env", KEY),
        ("load", "--url", "https://host.invalid", "--api-key-env", "HOSTED"),
        ("compare", "demo", "--endpoint", f"hosted=https://:{KEY}@host.invalid"),
        ("compare", "demo", "--endpoint", f"hosted=https://host.invalid?token={KEY}"),
        ("compare", "demo", "--endpoint", "hosted=https://h.invalid", "--api-key-env", KEY),
        ("compare", "study"),
    ],
)
def test_a_key_in_the_wrong_place(
    tmp_path: Path,
    polystack: Polystack,
    results: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
) -> None:
    if words[-1] == "study":
        text = (source_root() / "studies" / "demo.toml").read_text(encoding="utf-8")
        study = tmp_path / "mine.toml"
        study.write_text(f'{text}\n[endpoints.hosted]\nurl = "https://me:{KEY}@h.invalid"\n')
        words = ("compare", str(study))
    monkeypatch.setenv("HOSTED", KEY)
    outcome = polystack(*words)
    assert outcome.code == 2, outcome.err
    assert KEY not in outcome.out + outcome.err
    assert not results.exists()
