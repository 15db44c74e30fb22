"""aiohttp, as one would use it: one coroutine a stream, lines parsed as they come."""

from __future__ import annotations

import asyncio
import json

import aiohttp

from python_runner.common.clock import NS_PER_S, now_ns
from python_runner.run.client_bench.clients.shared import (
    PATH,
    Seen,
    Task,
    cpu_ns,
    own_task,
    report,
)


async def run(task: Task) -> None:
    """Do `task`."""
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=600)
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(task.url, connector=connector, timeout=timeout) as session:
        # So many at once that each opens a connection, which is kept.
        await asyncio.gather(*(_open(session) for _ in range(task.streams)))
        cpu_before, started_ns = cpu_ns(), now_ns()
        seen = await asyncio.gather(
            *(_one(session, task, number, started_ns) for number in range(task.streams))
        )
        report(task, seen, started_ns=started_ns, cpu_ns=cpu_ns() - cpu_before)


async def _open(session: aiohttp.ClientSession) -> None:
    async with session.get("/health") as answer:
        await answer.read()


async def _one(session: aiohttp.ClientSession, task: Task, number: int, started_ns: int) -> Seen:
    wait_ns = started_ns + task.start_ns(number) - now_ns()
    await asyncio.sleep(max(wait_ns, 0) / NS_PER_S)
    seen = Seen(sent_ns=now_ns())
    headers = {"x-request-id": str(number), "content-type": "application/json"}
    rest, read = "", 0
    async with session.post(PATH, data=json.dumps(task.body), headers=headers) as answer:
        async for piece in answer.content.iter_any():
            stamp = now_ns()
            read += 1
            *lines, rest = (rest + piece.decode()).split("\n")
            for line in lines:
                seen.take_line(line, stamp, read)
    return seen


if __name__ == "__main__":
    asyncio.run(run(own_task()))
