"""The way to servers that somebody else runs, apart from what they do."""

from __future__ import annotations

import pandas as pd

from python_runner.analyse.network import NetworkFigures, network_by_stack
from python_runner.report.contents.cells import column, figure, numbers
from python_runner.report.document import Cell, Paragraph, Section, Table
from python_runner.report.units import spell_range, spell_time
from python_runner.report.words.network import ROUND_TRIP

_TEXT = (
    "Measured before and after the requests, over connections of their own. The connections of "
    "the requests stand before their clocks start and are used again, so a new connection is not "
    "part of TTFT; in an open loop it is, for a request that had to open one. One round trip is "
    f"part of every TTFT. It is that of {ROUND_TRIP}, with whatever proxies and the server do for "
    "it; TCP alone is the way to whatever accepts the connection."
)


def network_section(conditions: pd.DataFrame) -> Section | None:
    """A table of the stacks that a network lies before; None if there is none."""
    found = network_by_stack(conditions)
    if not found:
        return None
    table = Table(
        columns=(
            column("stack"),
            numbers("name", "resolving the host's name"),
            numbers("TCP", "opening a connection"),
            numbers("TLS", "a whole handshake; 0: not encrypted"),
            numbers("a new connection", "the three together"),
            numbers("a round trip", ROUND_TRIP),
            numbers("before", "round trips before the first request"),
            numbers("after", "round trips after the last"),
            numbers("readings"),
        ),
        rows=[_row(str(row["title"]), figures) for row, figures in found],
        caption="The network, apart: medians of all readings",
    )
    return Section(key="network", title="The network, apart", blocks=[Paragraph(text=_TEXT), table])


def _row(title: str, found: NetworkFigures) -> list[Cell]:
    connects = spell_range(found.connect_low_ms, found.connect_high_ms)
    trips = spell_range(found.round_trip_low_ms, found.round_trip_high_ms)
    failed = f"{found.n_failed} lack something: {found.error}" if found.n_failed else ""
    return [
        Cell(text=title),
        figure(found.name_ms, spell_time),
        figure(found.tcp_ms, spell_time),
        figure(found.tls_ms, spell_time),
        figure(found.connect_ms, spell_time, note=f"half of them {connects}"),
        figure(found.round_trip_ms, spell_time, note=f"half of them {trips}"),
        figure(found.round_trip_before_ms, spell_time),
        figure(found.round_trip_after_ms, spell_time),
        Cell(text=str(found.n), value=float(found.n), note=failed),
    ]
