"""The crates that one crate of ours stands on."""

from __future__ import annotations

import json
import subprocess
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from python_runner.common.build.commands import build_variables

_HOST = "host: "
_TIMEOUT_S = 120.0
"""Another cargo may hold the lock on what has been fetched, for as long as it fetches."""


def crates_of(workspace: Path, crate: str) -> tuple[int, str]:
    """How many crates `crate` is compiled from, without those of the workspace; and who said so.

    cargo is asked, which knows what this platform needs. Where it cannot be, Cargo.lock is
    read, which lists what other platforms need besides.

    Raises OSError if there is no Cargo.lock, ValueError if the crate is not in it.
    """
    said = _cargo_metadata(workspace)
    if said is not None:
        return len(compiled_crates(said, crate)), "cargo metadata of native/rust/Cargo.lock"
    lock = (workspace / "Cargo.lock").read_text(encoding="utf-8")
    return len(locked_crates(lock, crate)), "native/rust/Cargo.lock, for all platforms"


def compiled_crates(said: Mapping[str, Any], crate: str) -> frozenset[str]:
    """Ids of what `crate` is compiled from, as `cargo metadata` lists it.

    What is linked and what runs while it is compiled (build scripts, macros) count; what only
    its tests need does not, nor do the workspace's own crates.

    Raises ValueError if there is no such crate.
    """
    roots = [one["id"] for one in said["packages"] if one["name"] == crate]
    if not roots:
        raise ValueError(f"there is no crate {crate}")
    nodes = {node["id"]: node for node in said["resolve"]["nodes"]}

    def needs(identity: str) -> list[str]:
        return [
            dependency["pkg"]
            for dependency in nodes[identity]["deps"]
            if any(kind["kind"] in (None, "build") for kind in dependency["dep_kinds"])
        ]

    return _reached(roots, needs) - frozenset(said["workspace_members"])


def locked_crates(lock: str, crate: str) -> frozenset[str]:
    """What `crate` needs by the text of a Cargo.lock: `name version` of each.

    Crates that come from no registry are our own, and left out. What tests need is in there,
    and what other platforms need.

    Raises ValueError if there is no such crate.
    """
    packages = tomllib.loads(lock).get("package", [])
    by_name: dict[str, list[str]] = {}
    needs: dict[str, list[str]] = {}
    for package in packages:
        identity = f"{package['name']} {package['version']}"
        by_name.setdefault(package["name"], []).append(identity)
        needs[identity] = package.get("dependencies", [])
    if crate not in by_name:
        raise ValueError(f"there is no crate {crate}")

    def next_of(identity: str) -> list[str]:
        # `name`, or `name version` where there are several, and a source after that.
        words = [entry.split() for entry in needs[identity]]
        return [f"{each[0]} {each[1]}" if len(each) > 1 else by_name[each[0]][0] for each in words]

    ours = {f"{one['name']} {one['version']}" for one in packages if "source" not in one}
    return _reached(by_name[crate], next_of) - ours


def _reached(roots: Iterable[str], needs: Callable[[str], Iterable[str]]) -> frozenset[str]:
    seen: set[str] = set()
    waiting = list(roots)
    while waiting:
        identity = waiting.pop()
        if identity not in seen:
            seen.add(identity)
            waiting += needs(identity)
    return frozenset(seen)


def _cargo_metadata(workspace: Path) -> Mapping[str, Any] | None:
    """What cargo says of the workspace on this platform; None if it cannot be asked."""
    compiler = _printed(["rustc", "-vV"], workspace)
    hosts = [line.removeprefix(_HOST) for line in compiler.splitlines() if line.startswith(_HOST)]
    if not hosts:
        return None
    words = ("cargo", "metadata", "--format-version", "1", "--locked", "--offline")
    printed = _printed([*words, "--filter-platform", hosts[0]], workspace)
    said: Mapping[str, Any] | None = json.loads(printed) if printed else None
    return said


def _printed(command: list[str], folder: Path) -> str:
    """What a tool prints; empty if it is not there or fails."""
    try:
        asked = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT_S,
            env=build_variables(),
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return asked.stdout if asked.returncode == 0 else ""
