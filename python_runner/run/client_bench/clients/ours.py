"""The client of the workbench: `polystack_stream.LoadRun`."""

from __future__ import annotations

import json

import numpy as np

from python_runner.common.build.extension import import_extension
from python_runner.common.progress import SilentProgress
from python_runner.engines.served.streaming import prepare_stream_client
from python_runner.run.client_bench.clients.shared import PATH, Seen, own_task, report


def main() -> None:
    """Do the task of this process."""
    import_extension(prepare_stream_client(SilentProgress()), "polystack_stream")
    import polystack_stream

    task = own_task()
    starts = np.array([task.start_ns(number) for number in range(task.streams)], dtype="<i8")
    load = polystack_stream.LoadRun(
        task.url + PATH,
        [json.dumps(task.body).encode()],
        dialect="openai-completions",
        users=task.streams,
        starts_ns=starts.tobytes(),
        requests=task.streams,
        request_id_header="x-request-id",
    )
    while not load.wait(60.0):
        pass
    record = load.take()
    failed = [reason for reason in record.error if reason]
    if failed:
        raise SystemExit(failed[0])
    numbers = np.frombuffer(record.number, dtype="<i8")
    offsets = np.frombuffer(record.chunk_offsets, dtype="<i8")
    stamps = np.frombuffer(record.chunk_ns, dtype="<i8")
    reads = np.frombuffer(record.chunk_reads, dtype="<i4")
    sent = np.frombuffer(record.sent_ns, dtype="<i8")
    seen = [Seen() for _ in range(task.streams)]
    for index, number in enumerate(numbers):
        part = slice(offsets[index], offsets[index + 1])
        seen[number] = Seen(
            sent_ns=int(sent[index]), ns=stamps[part].tolist(), reads=reads[part].tolist()
        )
    report(task, seen, started_ns=load.started_ns, cpu_ns=load.cpu_ns)


if __name__ == "__main__":
    main()
