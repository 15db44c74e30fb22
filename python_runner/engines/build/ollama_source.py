"""The source of Ollama as Go has it: which llama.cpp is inside, and where it lies."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from python_runner.common.build.cache import fresh_log, hash_tree
from python_runner.common.build.commands import build_variables, run_build
from python_runner.common.build.toolchain import go_tool
from python_runner.common.errors import BuildFailedError
from python_runner.common.locations import source_root
from python_runner.common.progress import Progress

PACKAGE = "github.com/ollama/ollama"
"""The Go module, and the program in it."""
_PINNED = re.compile(rf"^\s*{re.escape(PACKAGE)} v(\S+)", re.MULTILINE)
_PURPOSE = "the source of Ollama"
_COMMIT = re.compile(r'LLAMA_COMMIT = "([0-9a-f]{7,40})"')
_NAMES_THE_COMMIT = Path("llama") / "build-info.cpp"
_PATCHES = Path("llama") / "patches"
_EXPECTED_S = 20.0


@dataclass(frozen=True, kw_only=True)
class OllamaSource:
    """The Go module `github.com/ollama/ollama`, unpacked."""

    folder: Path
    version: str
    """Without its v."""
    commit: str
    """Of the llama.cpp inside; empty if it does not say."""
    patches: int
    """How many changes of Ollama's lie on top of that commit."""
    module_hash: str
    """Of the files that pin it and its hash."""

    @property
    def ggml(self) -> str:
        """Which ggml it is. Ollama's build leaves out the number, so the commit names it."""
        return f"llama.cpp {self.commit or 'of an unknown commit'} with {self.patches} patches"


def ollama_source(progress: Progress) -> OllamaSource:
    """The source of the pinned Ollama, fetched by Go if it is not there yet.

    Raises ToolMissingError or BuildFailedError.
    """
    found = known_source()
    if found is None:
        with progress.task(
            "Fetching Ollama's source", why="llama.cpp lies in it", expected_s=_EXPECTED_S
        ) as task:
            go, module = go_tool(_PURPOSE), _module()
            log = fresh_log("ollama-source")
            run_build([go, "mod", "download", PACKAGE], log=log, task=task, cwd=module)
        found = known_source()
    if found is None:
        raise BuildFailedError(
            "Go does not say where Ollama's source is",
            hint=f"Run `go mod download {PACKAGE}` in native/go.",
        )
    return found


def known_source() -> OllamaSource | None:
    """The source of the pinned Ollama; None as long as Go has not fetched it.

    Raises ToolMissingError.
    """
    module = _module()
    asked = subprocess.run(
        [go_tool(_PURPOSE), "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", PACKAGE],
        cwd=module,
        capture_output=True,
        text=True,
        check=False,
        env={**build_variables(), "GOFLAGS": "", "GOWORK": "off"},
    )
    folder = asked.stdout.strip()
    if asked.returncode != 0 or not folder:
        return None
    return read_source(Path(folder), module)


def read_source(folder: Path, module: Path) -> OllamaSource:
    """What the unpacked source in `folder` says of itself; `module` is what pins it."""
    names = folder / _NAMES_THE_COMMIT
    found = _COMMIT.search(names.read_text(encoding="utf-8")) if names.is_file() else None
    return OllamaSource(
        folder=folder,
        version=pinned_version((module / "go.mod").read_text(encoding="utf-8")),
        commit=found[1] if found else "",
        patches=len(list((folder / _PATCHES).glob("*.patch"))),
        module_hash=hash_tree(module, ("go.mod", "go.sum")),
    )


def pinned_version(go_mod: str) -> str:
    """The version of Ollama that the text of go.mod names, without `v`."""
    found = _PINNED.search(go_mod)
    if found is None:
        raise BuildFailedError(
            f"native/go/go.mod does not name {PACKAGE}", hint="Restore it from the repository."
        )
    return found[1]


def _module() -> Path:
    return source_root() / "native" / "go"
