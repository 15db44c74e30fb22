"""The figures that the statistics are held to, each with what was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from python_runner.analyse.compare.looks import look_alpha
from python_runner.analyse.compare.verdict import ALPHA, LARGEST_EQUAL
from python_runner.common.progress import Progress
from python_runner.run.bench_statistics.judge import (
    Judged,
    floor_from,
    floor_without_probe,
    judge,
    median_covers,
)
from python_runner.run.bench_statistics.machine import AS_SEEN, MACHINES, Machine
from python_runner.run.bench_statistics.simulate import Layout, Simulated, simulate

ITERATIONS = 10
LAYOUTS = (
    Layout(blocks=5, per_block=2),
    Layout(blocks=10, per_block=1),
    Layout(blocks=2, per_block=5),
    Layout(blocks=1, per_block=10),
)
USUAL = LAYOUTS[0]
SLOWER = 0.10
_SEED = 6
_CHUNK = 250
_TARGET = 0.02
_QUIETER = replace(AS_SEEN, name="the same, 2 % noise", noise=0.02)
"""With 3 % noise hardly a run gets within 2 % before the limit, and nothing would be shown."""
_LONG = Layout(blocks=20, per_block=2)
_LOOKS = (10, 20, 30, 40)
_LOOK_RESAMPLES = 1_999
_HIGHEST = np.array([LARGEST_EQUAL])
"""The highest noise floor at which anything is called equal: the hardest case for that word."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One line of the table."""

    layout: str
    machine: str
    what: str
    value: float
    asked: tuple[float, float] | None
    """Least and most; None: told, and nothing asked."""
    runs: int
    """Simulated runs behind it, of four stacks and six pairs each."""

    @property
    def is_met(self) -> bool:
        return self.asked is None or self.asked[0] <= self.value <= self.asked[1]


@dataclass(frozen=True, kw_only=True)
class _Counts:
    """Shares of one chunk of runs."""

    shares: dict[str, float]
    runs: int


_ASKED = {
    "false alarms, single test": (0.03, 0.07),
    "false alarms, full rule, no probe": (0.0, 0.07),
    "false alarms, full rule, blind probe": (0.0, 0.07),
    "false alarms, full rule, seeing probe": (0.0, 0.07),
    "power, single test": (0.90, 1.0),
    "power, full rule": (0.90, 1.0),
    "no difference, though 10 % slower": (0.0, 0.05),
    "no difference, though 10 % slower, floor of 10 %": (0.0, 0.05),
    "interval holds the truth": (0.93, 0.97),
    "until 2 %: false alarms, full rule": (0.0, 0.07),
    "until 2 %: interval holds the truth": (0.93, 1.0),
}


def prove(*, runs: int, progress: Progress, everything: bool = False) -> Iterator[Figure]:
    """Simulate and count. Seeded: the same figures each time.

    Args:
        runs: simulated runs of each layout and machine.
        progress: where to report.
        everything: other layouts and worse machines too, not only the usual ones.
    """
    cases = [(USUAL, AS_SEEN)]
    if everything:
        cases += [(layout, AS_SEEN) for layout in LAYOUTS[1:]]
        cases += [(layout, other) for other in MACHINES[1:] for layout in LAYOUTS[:3]]
    with progress.task("Simulating", why="truth is known only where it was made") as task:
        for number, (layout, machine) in enumerate(cases):
            task.update(number / (len(cases) + 1), f"{layout.name}, {machine.name}")
            rng = np.random.default_rng(_SEED)
            yield from _figures(
                layout,
                machine,
                [_single_look(layout, machine, size, rng) for size in _chunks(runs)],
            )
        task.update(len(cases) / (len(cases) + 1), "until an interval is narrow")
        rng = np.random.default_rng(_SEED)
        looks = [_many_looks(_QUIETER, size, rng) for size in _chunks(runs)]
        yield from _figures(_LONG, _QUIETER, looks)


def _chunks(runs: int) -> list[int]:
    full, rest = divmod(runs, _CHUNK)
    return [_CHUNK] * full + [rest] * (rest > 0)


def _figures(layout: Layout, machine: Machine, counts: list[_Counts]) -> Iterator[Figure]:
    total = sum(count.runs for count in counts)
    for what in counts[0].shares:
        share = sum(count.shares[what] * count.runs for count in counts) / total
        yield Figure(
            layout=layout.name,
            machine=machine.name,
            what=what,
            value=share,
            asked=_ASKED.get(what),
            runs=total,
        )


def _single_look(layout: Layout, machine: Machine, runs: int, rng: np.random.Generator) -> _Counts:
    same = simulate(layout, machine, runs, rng)
    other = simulate(layout, machine, runs, rng, slower=SLOWER)
    judged, found = judge(same.values), judge(other.values)
    with_slow = [index for index, pair in enumerate(found.pairs) if 0 in pair]
    blind, seeing = floor_from(same.blind), floor_from(same.seeing)
    power = found.claims(floor_from(other.seeing), ITERATIONS)[:, with_slow]
    covered = np.abs(judged.effect) <= judged.half_width
    alarms = {
        "no probe": judged.claims(floor_without_probe(layout.blocks), ITERATIONS),
        "blind probe": judged.claims(blind, ITERATIONS),
        "seeing probe": judged.claims(seeing, ITERATIONS),
    }
    return _Counts(
        runs=runs,
        shares={
            "false alarms, single test": float((judged.p <= ALPHA).mean()),
            **{
                f"false alarms, full rule, {probe}": float(claims.any(axis=1).mean())
                for probe, claims in alarms.items()
            },
            "power, single test": float((found.p[:, with_slow] <= ALPHA).mean()),
            "power, full rule": float(power.mean()),
            "no difference, where there is none": float(
                judged.equalities(seeing, ITERATIONS).mean()
            ),
            "no difference, though 10 % slower": float(
                found.equalities(floor_from(other.seeing), ITERATIONS)[:, with_slow].mean()
            ),
            "no difference, though 10 % slower, floor of 10 %": float(
                found.equalities(_HIGHEST, ITERATIONS)[:, with_slow].mean()
            ),
            "interval holds the truth": float(covered.mean()),
            "half-width of the interval": float(np.expm1(np.median(judged.half_width))),
            "a stack's own median: interval holds it": float(median_covers(same.values).mean()),
        },
    )


def _many_looks(machine: Machine, runs: int, rng: np.random.Generator) -> _Counts:
    """Looks at 10, 20, 30 and 40 iterations, until every interval is within 2 %."""
    same = simulate(_LONG, machine, runs, rng)
    careful, iterations = _stopped(same, spend=True)
    careless, _ = _stopped(same, spend=False)
    return _Counts(
        runs=runs,
        shares={
            "until 2 %: false alarms, full rule": careful[0],
            "until 2 %: interval holds the truth": careful[1],
            "until 2 %: iterations, mean": iterations,
            "5 % at every look: false alarms": careless[0],
        },
    )


def _stopped(same: Simulated, *, spend: bool) -> tuple[tuple[float, float], float]:
    """Share of runs with an alarm and of intervals that hold the truth; mean iterations.

    Whoever does not spend stops at the first alarm, too: that is what the spending is against.
    """
    runs = len(same.values)
    stopped = np.zeros(runs, dtype=bool)
    alarmed, covered, used = np.zeros(runs, dtype=bool), np.zeros(runs), np.zeros(runs)
    for number, iterations in enumerate(_LOOKS, start=1):
        alpha = look_alpha(_LOOKS[:number], _LOOKS[-1]) if spend else ALPHA
        blocks = iterations // _LONG.per_block
        judged = judge(same.first(blocks), alpha=alpha, resamples=_LOOK_RESAMPLES)
        blind = floor_from(tuple(probe[:, :, :blocks] for probe in same.blind))
        alarm = np.asarray(judged.claims(blind, iterations, alpha).any(axis=1))
        last = iterations == _LOOKS[-1]
        enough: npt.NDArray[np.bool_] = _is_narrow(judged) | np.full(runs, last)
        if not spend:
            enough |= alarm
        ends = enough & ~stopped
        alarmed[ends] = alarm[ends]
        covered[ends] = (np.abs(judged.effect) <= judged.half_width).mean(axis=1)[ends]
        used[ends] = iterations
        stopped |= enough
    return (float(alarmed.mean()), float(covered.mean())), float(used.mean())


def _is_narrow(judged: Judged) -> npt.NDArray[np.bool_]:
    return np.asarray(np.expm1(judged.half_width).max(axis=1) <= _TARGET)
