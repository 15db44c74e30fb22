"""Models without weights for the tests of the worker process; loaded in the worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from python_runner.engines.contract import (
    EngineDescription,
    GenerateRequest,
    Generation,
    LaunchSettings,
    StopReason,
)

FOREVER_S = 3600


def _say(line: str) -> None:
    """Print to standard output, as libraries do."""
    sys.stdout.write(f"{line}\n")


class PaperModel:
    """Does what the prompt says."""

    @property
    def description(self) -> EngineDescription:
        return EngineDescription(
            version="1", build={"OMP_NUM_THREADS": os.environ["OMP_NUM_THREADS"]}
        )

    def token_ids(self, text: str) -> tuple[int, ...] | None:
        return (2, *map(ord, text))

    def generate(self, request: GenerateRequest) -> Generation:
        _say(f"asked: {request.prompt_text}")
        match request.prompt_text.split():
            case ["hang"]:
                time.sleep(FOREVER_S)
            case ["die", name]:
                _say("last words")
                os.kill(os.getpid(), signal.Signals[name])
            case ["fail"]:
                raise RuntimeError("out of luck")
            case ["leave", "an", "orphan"]:
                subprocess.Popen([sys.executable, "-c", f"import time; time.sleep({FOREVER_S})"])
                os.kill(os.getpid(), signal.SIGKILL)
        return Generation(
            requested_ns=time.monotonic_ns(),
            chunk_ns=(time.monotonic_ns(),),
            chunk_tokens=(1,),
            ended_ns=time.monotonic_ns(),
            prompt_tokens=len(request.prompt_ids),
            output_tokens=1,
            stop=StopReason.LENGTH,
            text=request.prompt_text,
            token_ids=(1,),
        )

    def close(self) -> None:
        _say("closed")


class DyingModel(PaperModel):
    """Meets an instruction that the CPU does not run, at its first request."""

    def token_ids(self, text: str) -> None:
        return None

    def generate(self, request: GenerateRequest) -> Generation:
        os.kill(os.getpid(), signal.SIGILL)
        return super().generate(request)


def load_and_die_when_asked(settings: LaunchSettings) -> DyingModel:
    return DyingModel()


def load(settings: LaunchSettings) -> PaperModel:
    _say("loading on standard output")
    return PaperModel()


def load_never(settings: LaunchSettings) -> PaperModel:
    time.sleep(FOREVER_S)
    return PaperModel()


def load_badly(settings: LaunchSettings) -> PaperModel:
    raise ValueError("no tensor of that name")


def load_and_die(settings: LaunchSettings) -> PaperModel:
    os.kill(os.getpid(), signal.SIGILL)
    return PaperModel()
