"""Any server of the catalogue as an engine: what differs stands in its file in `servers/`.

Such a server is the user's own: nothing is built or downloaded here. It runs as our child, or
in a container that is removed with us.
"""

from __future__ import annotations

import os
from pathlib import Path

from python_runner.common.errors import SetupError, UsageError
from python_runner.common.progress import Progress, SilentProgress
from python_runner.engines.contract import (
    EngineDescription,
    EngineSpec,
    LaunchSettings,
    Reach,
    RunningEngine,
    WeightFormat,
)
from python_runner.engines.served.openai_served import Asking, Started, start_openai
from python_runner.engines.served.streaming import StreamClient, prepare_stream_client
from python_runner.engines.served.truth import prepare_client
from python_runner.engines.servers.find import find_gpus, find_server, image_of, version_of
from python_runner.engines.servers.read import servers
from python_runner.engines.servers.schema import ServerRow
from python_runner.engines.servers.start import Installed, Start, weights_of
from python_runner.engines.servers.words import Filling

_CUDA = "cuda"


def catalogued_engine(name: str) -> CataloguedServer:
    """The engine of that server. Raises KeyError if there is none, UsageError for its file."""
    return CataloguedServer(servers()[name])


class CataloguedServer:
    """Implements `contract.Engine`."""

    def __init__(self, row: ServerRow) -> None:
        self.row = row
        self._spec = spec_of(row)

    @property
    def spec(self) -> EngineSpec:
        return self._spec

    def prepare(self, progress: Progress) -> None:
        """Find the server and a GPU, build the client. Raises SetupError with all that lacks."""
        problems = []
        for look in (self._find_device, self.find):
            try:
                look()
            except SetupError as error:
                problems.append(error)
        if problems:
            raise type(problems[0])(
                "; ".join(each.message for each in problems),
                hint=" ".join(each.hint for each in problems),
            )
        prepare_client(progress)

    def _find_device(self) -> str:
        return find_gpus() if _CUDA in self._spec.devices else ""

    def find(self) -> Installed:
        """What is on this machine. Raises SetupError."""
        found = find_server(self.row, os.environ)
        if found.container is not None:
            return Installed(found=found, version="", image=image_of(found))
        filling = Filling(server=self.row.title, known=found.words)
        version = version_of(self.row.version, found, filling)
        return Installed(found=found, version=version, image="")

    def start(self, settings: LaunchSettings, log: Path) -> RunningEngine:
        """Start the server and wait until its model is loaded.

        Call it from a thread that lives as long as the engine.

        Raises:
            UsageError: it does not compute on that device.
            EngineStartError: it does not start, or the weights are not there in its format.
            SetupError: the server has gone meanwhile.
        """
        check_device(self._spec, settings.device)
        gpus = find_gpus() if settings.device == _CUDA else ""
        start = Start(
            row=self.row,
            installed=self.find(),
            settings=settings,
            weights=weights_of(self.row, settings),
            scratch=log.with_suffix(".settings"),
        )
        client = StreamClient(prepare_stream_client(SilentProgress()))

        def describe(started: Started) -> tuple[EngineDescription, Asking]:
            return start.describe(started, gpus), start.asking(self._spec.title, started.server.url)

        return start_openai(start.launch(), settings, log, client, describe)


def spec_of(row: ServerRow) -> EngineSpec:
    """What is known of a server before it runs."""
    return EngineSpec(
        name=row.name,
        title=row.title,
        language=row.language,
        reach=Reach.SERVED,
        formats={
            word: WeightFormat(name=each.name, bits=each.bits, memory_per_weight_byte=None)
            for word, each in row.precision.items()
        },
        model_format="safetensors",
        can_ignore_end_of_sequence=bool(row.asks.ignore_end),
        reports_token_ids=bool(row.answers.ids),
        takes_token_ids=row.asks.prompt == "ids",
        devices=row.devices,
    )


def check_device(spec: EngineSpec, device: str) -> None:
    """Raises UsageError if the engine does not compute there."""
    if device not in spec.devices:
        raise UsageError(
            f"{spec.name} does not compute on {device}",
            hint=f"Choose --device {' or '.join(spec.devices)}, or leave it out with --stacks.",
        )
