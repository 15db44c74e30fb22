"""One start of a server of the catalogue: command line, readiness, and what it says of itself."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from python_runner.common.errors import EngineStartError
from python_runner.common.processes import free_port
from python_runner.engines.contract import (
    WEIGHTS_IN_MEMORY,
    Dialect,
    Endpoint,
    EngineDescription,
    LaunchSettings,
)
from python_runner.engines.served.message import parse
from python_runner.engines.served.openai_served import Asking, Launch, Started
from python_runner.engines.servers.container import (
    ContainerProcess,
    Inside,
    ServerTree,
    container_command,
)
from python_runner.engines.servers.find import Found
from python_runner.engines.servers.protocol import dialogue_of, request_body
from python_runner.engines.servers.schema import Format, ServerRow
from python_runner.engines.servers.words import Filling, words_of

NOT_SAID = ", as asked for: the server does not say"
_VERSION_TIMEOUT_S = 10.0


@dataclass(frozen=True, kw_only=True)
class Installed:
    """A server that was found."""

    found: Found
    version: str
    """By its command; empty: it says so when it runs."""
    image: str
    """The id of its container image; empty: it runs as our child."""


@dataclass(frozen=True, kw_only=True)
class Start:
    """One start of one server."""

    row: ServerRow
    installed: Installed
    settings: LaunchSettings
    weights: Path
    scratch: Path

    @property
    def _chosen(self) -> Format:
        return _format(self.row, self.settings.precision)

    @property
    def _is_contained(self) -> bool:
        return self.installed.found.container is not None

    @property
    def _filling(self) -> Filling:
        known = {
            **words_of(self.settings, self.weights, self.scratch),
            **self.installed.found.words,
        }
        filling = Filling(server=self.row.title, known=known)
        if self._is_contained:
            filling = filling.with_known(self._inside.words)
        return filling.with_known({"served_name": filling(self.row.asks.served_name)})

    @property
    def _inside(self) -> Inside:
        return Inside(model=self.weights, scratch=self.scratch)

    def launch(self) -> Launch:
        """How it is started. Writes its files of settings."""
        self._write_files()
        filling = self._filling
        row, found = self.row, self.installed.found
        variables = {key: filling(value) for key, value in row.environment.items()}
        return Launch(
            title=row.title,
            command=self._command,
            environment={} if self._is_contained else variables,
            ready=row.ready.path,
            port_taken=row.port_taken,
            advice=f"Does {row.title} run this model at all? Start it by hand once: {found.place}.",
            is_ready=partial(ready, {k: filling(v) for k, v in row.ready.expect.items()}),
            process=ContainerProcess if self._is_contained else ServerTree,
            cwd=found.home,
            # The guard of a container removes it first.
            orphan_signal=signal.SIGTERM if self._is_contained else signal.SIGKILL,
        )

    def _command(self, port: int) -> list[str]:
        row, more = self.row, self._chosen.arguments
        if self._is_contained and row.container is not None:
            return container_command(
                row.container,
                self.installed.found,
                self._inside,
                self._filling,
                port,
                more=more,
                environment=row.environment,
            )
        own = self._filling.with_known({"port": str(port), "spare_port": str(free_port())})
        return own.words([*row.command, *more])

    def _write_files(self) -> None:
        self.scratch.mkdir(parents=True, exist_ok=True)
        for name, text in self.row.scratch_files.items():
            (self.scratch / name).write_text(self._filling(text), encoding="utf-8")

    def asking(self, title: str, url: str) -> Asking:
        """How it is asked."""
        asks, model = self.row.asks, self._filling.known["served_name"]
        return Asking(
            endpoint=Endpoint(
                url=f"{url}{asks.path}", dialect=Dialect.OPENAI_COMPLETIONS, model=model
            ),
            body=partial(request_body, asks, model),
            dialogue=dialogue_of(title, self.row.answers, self.settings.model.folder),
        )

    def describe(self, started: Started, gpus: str) -> EngineDescription:
        """What it is, by its own words, its file, and the way it was found.

        Raises EngineStartError if it says no version.
        """
        installed, row = self.installed, self.row
        said = asked_version(row, started.server.url)
        version = said or installed.version or installed.image
        if not version:
            raise EngineStartError(f"{row.title} does not say its version at {row.version.path}")
        options = " ".join(
            self._filling.with_known({"port": "PORT", "spare_port": "PORT"}).words(
                [*self._chosen.arguments]
            )
        )
        return EngineDescription(
            version=version,
            build={
                "found": installed.found.place,
                **({"image": installed.image} if installed.image else {}),
                **({"GPU": gpus} if gpus else {}),
                WEIGHTS_IN_MEMORY: f"{self._chosen.name}{NOT_SAID}",
                **({"options for the precision": options} if options else {}),
                "server's file read at": row.read_at,
                **row.facts,
            },
        )


def weights_of(row: ServerRow, settings: LaunchSettings) -> Path:
    """The folder that the server is to load.

    Raises EngineStartError if there is no model in it, or its user has not made it yet.
    """
    folder = settings.model.folder
    if not (folder / "config.json").is_file():
        # Servers take such a path for the name of a model to download.
        raise EngineStartError(f"{folder} holds no model (no config.json)")
    chosen = _format(row, settings.precision)
    if not chosen.folder:
        return folder
    made = folder.with_name(folder.name + chosen.folder)
    if not made.is_dir():
        command = chosen.made_by.format(model=folder, made=made)
        raise EngineStartError(
            f"{row.title} runs {chosen.name} only from weights that were made so beforehand, "
            f"and there is no {made}",
            hint=f"Make them once, in the environment of {row.title}: {command}",
        )
    return made


def _format(row: ServerRow, precision: str) -> Format:
    chosen: Mapping[str, Format] = {str(word): each for word, each in row.precision.items()}
    found = chosen.get(precision)
    if found is None:
        raise EngineStartError(
            f"{row.title} reads no GGUF files here ({precision})",
            hint="Give it a model in safetensors.",
        )
    return found


def ready(expect: Mapping[str, str], answer: httpx.Response) -> Mapping[str, Any] | None:
    """What the server says of itself if it is ready; None: not yet."""
    if not expect:
        return {}
    said = parse(answer.content)
    if not isinstance(said, dict):
        return None
    return said if all(str(said.get(key)) == value for key, value in expect.items()) else None


def asked_version(row: ServerRow, url: str) -> str:
    """The version that a running server tells; empty: it does not."""
    if not row.version.path:
        return ""
    try:
        answer = httpx.get(
            f"{url}{row.version.path}", timeout=_VERSION_TIMEOUT_S, trust_env=False
        ).raise_for_status()
        said = parse(answer.content)
    except (httpx.HTTPError, ValueError):
        return ""
    return str(said.get(row.version.key) or "") if isinstance(said, dict) else ""
