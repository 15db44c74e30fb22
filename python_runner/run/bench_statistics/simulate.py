"""Runs that never happened, on a machine that is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from python_runner.analyse.compare.blocks import Cells, Floats
from python_runner.measure.blocks import visiting_order
from python_runner.run.bench_statistics.machine import PROBE_NOISE, Machine

_RELOAD = 1.0
"""Time that a load takes, in iterations."""
_PROBES = 2
_IN_A_ROW = 10


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How the iterations of a run lie in time."""

    stacks: int = 4
    blocks: int
    per_block: int

    @property
    def name(self) -> str:
        return f"{self.blocks} x {self.per_block}"

    def starts(self) -> Floats:
        """When each iteration starts, in iterations; shape (stacks, blocks, per_block)."""
        times = np.zeros((self.stacks, self.blocks, self.per_block))
        now = 0.0
        for block in range(self.blocks):
            for stack in visiting_order(self.stacks, block):
                now += _RELOAD
                times[stack, block] = now + np.arange(self.per_block)
                now += self.per_block
        return times


@dataclass(frozen=True, kw_only=True)
class Simulated:
    """Log values, shape (runs, stacks, blocks, per_block); of two probes likewise."""

    values: Floats
    seeing: tuple[Floats, ...]
    """Probes that feel the drift as the stacks do."""
    blind: tuple[Floats, ...]
    """Probes that feel nothing of it."""

    def first(self, blocks: int) -> Floats:
        """The values of the first blocks only."""
        return self.values[:, :, :blocks]


def simulate(
    layout: Layout, machine: Machine, runs: int, rng: np.random.Generator, *, slower: float = 0.0
) -> Simulated:
    """Make runs in which the first stack takes `slower` more time than the others (0.1: 10 %)."""
    times = layout.starts()
    shape = (runs, *times.shape)
    drift = _drift(times, machine, runs, rng).reshape(shape)
    own = _own_noise(shape, machine, rng) * np.array(machine.spreads)[:, None, None]
    load = machine.load * rng.standard_normal((*shape[:3], 1))
    scale = machine.noise / _spread_in_a_row(machine)
    values = (drift + own + load) * scale
    values[:, 0] += np.log1p(slower)
    probes = [PROBE_NOISE * rng.standard_normal(shape) for _ in range(_PROBES)]
    return Simulated(
        values=values,
        seeing=tuple(drift * scale + probe for probe in probes),
        blind=tuple(probes),
    )


def pair_cells(values: Floats, left: int, right: int) -> Cells:
    """Two stacks of all runs, as the test wants them; block by block, where they share one."""
    runs, _, blocks, per_block = values.shape
    both = np.concatenate([values[:, left], values[:, right]], axis=-1)
    each = np.full(blocks, per_block)
    return Cells(values=both.reshape(runs, blocks, 2 * per_block), n_left=each, n_right=each)


def _drift(times: Floats, machine: Machine, runs: int, rng: np.random.Generator) -> Floats:
    flat = times.ravel()
    covariance = np.exp(-np.abs(flat[:, None] - flat) / machine.memory)
    root = np.linalg.cholesky(covariance + 1e-9 * np.eye(flat.size))
    return np.asarray(machine.drift * rng.standard_normal((runs, flat.size)) @ root.T)


def _own_noise(shape: tuple[int, ...], machine: Machine, rng: np.random.Generator) -> Floats:
    fresh = rng.standard_t(machine.tail, size=shape) * ((machine.tail - 2) / machine.tail) ** 0.5
    noise: Floats = fresh.copy()
    for index in range(1, shape[-1]):
        carried = machine.likeness * noise[..., index - 1]
        noise[..., index] = carried + (1 - machine.likeness**2) ** 0.5 * fresh[..., index]
    return noise


def _spread_in_a_row(machine: Machine) -> float:
    """Standard deviation of ten iterations in a row, before scaling."""
    first, second = np.triu_indices(_IN_A_ROW, 1)
    kept = np.exp(-(second - first) / machine.memory).mean()
    return float((1 + machine.drift**2 * (1 - kept)) ** 0.5)
