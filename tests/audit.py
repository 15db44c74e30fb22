"""Holds the locked dependencies of all three languages against what is known of them.

`python -m tests.audit`, as `just audit`. Each check says one of three things: nothing is known
against what is locked; this is known; or it could not be checked, and why. The last is never
taken for the first: the exit code is 0 only if everything was checked and nothing found, 1 if
something was found, and 3 if nothing was found and something could not be checked.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
_TIMEOUT_S = 300.0
_GOVULNCHECK = "golang.org/x/vuln/cmd/govulncheck@v1.1.4"
_NOT_LOCKS = ("-override.txt",)
_LINES_SHOWN = 3


class Outcome(IntEnum):
    """What a check came to; the number is the exit code that it calls for."""

    CLEAN = 0
    FOUND = 1
    UNCHECKED = 3


@dataclass(frozen=True, kw_only=True)
class Result:
    """One check."""

    what: str
    outcome: Outcome
    details: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What a tool said."""

    code: int
    out: str
    err: str

    @property
    def reason(self) -> tuple[str, ...]:
        """The lines about an error, else the last ones, for a reader."""
        lines = [line.strip() for line in (self.err or self.out).splitlines() if line.strip()]
        lines = [line for line in lines if line.lower().startswith("error")] or lines
        return tuple(lines[-_LINES_SHOWN:]) or (f"it ended with {self.code} and said nothing",)


Run = Callable[[Sequence[str], Path], Ran]
Read = Callable[[Any], Iterable[str]]


def run(command: Sequence[str], folder: Path) -> Ran:
    """Run a tool to its end; one that is not there or does not end says so."""
    if shutil.which(command[0]) is None:
        return Ran(code=127, out="", err=f"{command[0]} is not installed")
    try:
        ended = subprocess.run(
            list(command),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Ran(code=124, out="", err=f"nothing in {_TIMEOUT_S:.0f} s")
    return Ran(code=ended.returncode, out=ended.stdout, err=ended.stderr)


def locks() -> list[Path]:
    """The lock files of Python."""
    found = sorted((ROOT / "requirements").glob("*.txt"))
    return [path for path in found if not path.name.endswith(_NOT_LOCKS)]


def checks(run: Run) -> Iterator[Result]:
    """All of them, one after the other."""
    for path in locks():
        yield _python(path, run)
    yield _rust(run)
    yield _go(run)
    yield _modules(run)


def judged(what: str, ran: Ran, read: Read) -> Result:
    """The result of a tool that answers in JSON. What is no answer is no clean bill."""
    try:
        found = tuple(read(json.loads(ran.out)))
    except PassedOverError as error:
        return Result(what=what, outcome=Outcome.UNCHECKED, details=(str(error),))
    except (ValueError, KeyError, TypeError, AttributeError):
        return Result(what=what, outcome=Outcome.UNCHECKED, details=ran.reason)
    return Result(what=what, outcome=Outcome.FOUND if found else Outcome.CLEAN, details=found)


class PassedOverError(Exception):
    """Nothing was found, and not everything was looked at."""


def python_findings(said: Mapping[str, Any]) -> Iterator[str]:
    """Of pip-audit. Raises PassedOverError if it passed over packages and found nothing."""
    found, passed_over = [], []
    for package in said["dependencies"]:
        if "skip_reason" in package:
            passed_over.append(package["skip_reason"])
            continue
        for known in package["vulns"]:
            fixed = ", ".join(known.get("fix_versions") or ["no release yet"])
            what = f"{package['name']} {package['version']}"
            found.append(f"{what}: {known['id']} (mended in {fixed})")
    if passed_over and not found:
        raise PassedOverError(
            f"{len(passed_over)} of {len(said['dependencies'])} packages were passed over, the "
            f"first: {passed_over[0]}"
        )
    yield from found
    if passed_over:
        yield f"and {len(passed_over)} packages were passed over, the first: {passed_over[0]}"


def rust_findings(said: Mapping[str, Any]) -> Iterator[str]:
    """Of cargo-audit."""
    for known in said["vulnerabilities"]["list"]:
        package, advisory = known["package"], known["advisory"]
        yield f"{package['name']} {package['version']}: {advisory['id']}, {advisory['title']}"


def go_findings(said: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Of govulncheck: what our programs reach, each once."""
    messages = list(said)
    if not any("config" in message for message in messages):
        raise ValueError("no answer")
    found: dict[str, None] = {}
    for message in messages:
        finding = message.get("finding", {})
        trace = finding.get("trace", [{}])
        if trace[0].get("function"):
            place = f"{trace[0].get('module', '?')} {trace[0].get('version', '')}".strip()
            found[f"{place}: {finding['osv']} (mended in {finding.get('fixed_version', '?')})"] = (
                None
            )
    yield from found


def _python(path: Path, run: Run) -> Result:
    # Without pip: names, versions and hashes stand in the file.
    options = ("--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json")
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as copy:
        copy.write(path.read_text(encoding="utf-8"))
        copy.flush()
        ran = run(["uv", "tool", "run", "pip-audit", *options, "-r", copy.name], ROOT)
    return judged(f"pip-audit, requirements/{path.name}", ran, python_findings)


def _rust(run: Run) -> Result:
    ran = run(["cargo", "audit", "--json", "--file", "Cargo.lock"], ROOT / "native" / "rust")
    return judged("cargo audit, native/rust/Cargo.lock", ran, rust_findings)


def _go(run: Run) -> Result:
    ran = run(["go", "run", _GOVULNCHECK, "-format", "json", "./..."], ROOT / "native" / "go")
    if ran.code == 0:
        decoder, text, messages = json.JSONDecoder(), ran.out.strip(), []
        try:
            while text:
                message, end = decoder.raw_decode(text)
                messages.append(message)
                text = text[end:].lstrip()
        except ValueError:
            messages = []
        ran = Ran(code=0, out=json.dumps(messages), err=ran.err)
    return judged("govulncheck, native/go", ran, go_findings)


def _modules(run: Run) -> Result:
    ran = run(["go", "mod", "verify"], ROOT / "native" / "go")
    what = "go mod verify, native/go/go.sum"
    if ran.code == 0:
        return Result(what=what, outcome=Outcome.CLEAN)
    changed = tuple(line for line in ran.err.splitlines() if "has been modified" in line)
    outcome = Outcome.FOUND if changed else Outcome.UNCHECKED
    return Result(what=what, outcome=outcome, details=changed or ran.reason)


_SAID = {
    Outcome.CLEAN: "nothing is known against it",
    Outcome.FOUND: "KNOWN VULNERABILITIES",
    Outcome.UNCHECKED: "COULD NOT BE CHECKED",
}


def exit_code(results: Iterable[Result]) -> int:
    """Of all of them together."""
    outcomes = {result.outcome for result in results}
    for outcome in (Outcome.FOUND, Outcome.UNCHECKED):
        if outcome in outcomes:
            return outcome
    return Outcome.CLEAN


def main() -> None:
    """Check, say what came of it, and exit by it."""
    results = []
    for result in checks(run):
        results.append(result)
        sys.stdout.write(f"{result.what}: {_SAID[result.outcome]}\n")
        sys.stdout.writelines(f"  {line}\n" for line in result.details)
        sys.stdout.flush()
    sys.exit(exit_code(results))


if __name__ == "__main__":
    main()
