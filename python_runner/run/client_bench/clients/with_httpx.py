"""httpx, as one would use it: one coroutine a stream, lines parsed as they come."""

from __future__ import annotations

import asyncio
import json

import httpx

from python_runner.common.clock import NS_PER_S, now_ns
from python_runner.run.client_bench.clients.shared import (
    PATH,
    Seen,
    Task,
    cpu_ns,
    own_task,
    report,
)

_TIMEOUT_S = 300.0


async def run(task: Task) -> None:
    """Do `task`."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(
        base_url=task.url, limits=limits, timeout=_TIMEOUT_S, trust_env=False
    ) as client:
        # So many at once that each opens a connection, which is kept.
        await asyncio.gather(*(client.get("/health") for _ in range(task.streams)))
        cpu_before, started_ns = cpu_ns(), now_ns()
        seen = await asyncio.gather(
            *(_one(client, task, number, started_ns) for number in range(task.streams))
        )
        report(task, seen, started_ns=started_ns, cpu_ns=cpu_ns() - cpu_before)


async def _one(client: httpx.AsyncClient, task: Task, number: int, started_ns: int) -> Seen:
    wait_ns = started_ns + task.start_ns(number) - now_ns()
    await asyncio.sleep(max(wait_ns, 0) / NS_PER_S)
    seen = Seen(sent_ns=now_ns())
    headers = {"x-request-id": str(number), "content-type": "application/json"}
    content = json.dumps(task.body)
    rest, read = "", 0
    async with client.stream("POST", PATH, content=content, headers=headers) as answer:
        async for piece in answer.aiter_text():
            stamp = now_ns()
            read += 1
            *lines, rest = (rest + piece).split("\n")
            for line in lines:
                seen.take_line(line, stamp, read)
    return seen


if __name__ == "__main__":
    asyncio.run(run(own_task()))
