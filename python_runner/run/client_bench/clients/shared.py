"""What the clients in Python have in common."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

PATH = "/v1/completions"


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a client is to do."""

    url: str
    streams: int
    tokens: int
    spread_ns: int
    file: Path

    def start_ns(self, number: int) -> int:
        """When request `number` is to be sent, in ns after the start."""
        return self.spread_ns * number // self.streams

    @property
    def body(self) -> dict[str, object]:
        return {
            "prompt": "one two three",
            "max_tokens": self.tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
        }


@dataclass
class Seen:
    """What a client saw of one answer."""

    sent_ns: int = 0
    ns: list[int] = field(default_factory=list)
    reads: list[int] = field(default_factory=list)

    def take_line(self, line: str, stamp: int, read: int) -> None:
        """A line of the stream: keep the stamp if it carries content."""
        if not line.startswith("data: {"):
            return
        choices = json.loads(line[len("data: ") :])["choices"]
        if choices and choices[0]["text"]:
            self.ns.append(stamp)
            self.reads.append(read)


def task_from(arguments: list[str]) -> Task:
    """The task that the command line names."""
    url, streams, tokens, spread, file = arguments
    return Task(
        url=url, streams=int(streams), tokens=int(tokens), spread_ns=int(spread), file=Path(file)
    )


def report(task: Task, seen: list[Seen], *, started_ns: int, cpu_ns: int) -> None:
    """Write what was seen."""
    requests = [
        {"id": str(number), "sent_ns": one.sent_ns, "ns": one.ns, "reads": one.reads}
        for number, one in enumerate(seen)
    ]
    document = {"cpu_ns": cpu_ns, "started_ns": started_ns, "requests": requests}
    task.file.write_text(json.dumps(document), encoding="utf-8")


def own_task() -> Task:
    """The task of this process."""
    return task_from(sys.argv[1:])


def cpu_ns() -> int:
    """CPU time of this process so far."""
    return time.process_time_ns()
