"""`polystack bench-client`: what the stamps of our stream client are worth."""

from __future__ import annotations

import csv
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from python_runner.cli import output
from python_runner.cli.options import ResultsOption

if TYPE_CHECKING:
    from rich.table import Table

    from python_runner.run.client_bench import BenchRow


def bench_client(
    *,
    streams: Annotated[
        str, typer.Option(help="Numbers of streams, separated by commas.")
    ] = "1,32,128,512,1000",
    rounds: Annotated[int, typer.Option(min=1, help="Rounds; medians are shown.")] = 3,
    tokens: Annotated[int, typer.Option(min=2, help="Tokens of each answer.")] = 100,
    burst: Annotated[bool, typer.Option(help="All requests at once.")] = False,
    hyper: Annotated[bool, typer.Option(help="Also a client on hyper and tokio.")] = False,
    every: Annotated[
        bool, typer.Option("--all", help="httpx and aiohttp also at 512 and 1,000 streams.")
    ] = False,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", help="Write the figures there, too.")
    ] = None,
    results: ResultsOption = None,
) -> None:
    """Hold our stream client, a bare loop and two others against a server's own stamps."""
    from python_runner.cli.progress import TerminalProgress
    from python_runner.run.client_bench import Bench, run_bench

    bench = Bench(
        streams=[output.positive_number("--streams", text) for text in output.split_names(streams)],
        rounds=rounds,
        tokens=tokens,
        is_burst=burst,
        with_hyper=hyper,
        all_clients=every,
    )
    logs = output.Results.at(results).logs / "bench-client"
    rows = list(run_bench(bench, TerminalProgress(output.console()), logs=logs))
    output.console().print(_table(rows))
    start = "all at once" if burst else "spread over one ITL"
    output.say(
        f"TTFT {bench.ttft_ms} ms, ITL {bench.itl_ms} ms, {tokens} tokens, requests {start}, "
        f"medians of {rounds} rounds; the server has a process of its own on the same cores"
    )
    if csv_file is not None:
        _write(csv_file, rows)
        output.say(str(csv_file))


def _table(rows: list[BenchRow]) -> Table:
    from rich.table import Table

    from python_runner.run.client_bench.reach import missed
    from python_runner.run.client_bench.survey import FLOOR, OURS

    table = Table(
        "client",
        "streams",
        "TTFT error p50 / p99 ms",
        "ITL error p99 ms",
        "CPU s per 1,000 events",
        "CPU / floor's",
        "of ideal rate",
        "",
        box=None,
    )
    floors = {row.streams: row.figures for row in rows if row.client == FLOOR}
    for row in rows:
        found, floor = row.figures, floors[row.streams]
        if found is None or floor is None:
            table.add_row(row.client, str(row.streams), "not installed")
            continue
        lacks = missed(row.streams, found, floor) if row.client == OURS else ()
        verdict = f"missed: {', '.join(lacks)}" if lacks else "reached"
        table.add_row(
            row.client,
            str(row.streams),
            f"{found.ttft_p50_ms:+.2f} / {found.ttft_p99_ms:+.2f}",
            f"{found.itl_p99_ms:.2f}",
            f"{found.cpu_s_per_1000_events:.4f}",
            f"{found.cpu_s_per_1000_events / floor.cpu_s_per_1000_events:.2f}",
            f"{found.rate_share:.1%}",
            verdict if row.client == OURS else "",
        )
    return table


def _write(file: Path, rows: list[BenchRow]) -> None:
    lines = [
        {"client": row.client, "streams": row.streams, **asdict(row.figures)}
        for row in rows
        if row.figures is not None
    ]
    with file.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, fieldnames=list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)
