"""How a machine's times scatter, for simulated runs, and where the numbers come from.

Estimated from the two stored runs of the 2B shape (nine stacks of ten iterations, one shared
machine with two cores, two hours apart); the runs of the tiny model scatter by 50 to 130 % and
say nothing about ten-second requests. With each stack's own scale taken out:

- noise: the standard deviation of ten iterations in a row was 0.5 to 5 %, 2 % in the middle.
- drift: a slow common component. By restricted maximum likelihood its variance is 0.75 to 1.5
  times that of the rest, for a memory of 10 to 40 iterations (the data cannot tell memory and
  size apart; no drift at all is only 0.7 units of log-likelihood worse). The drift also
  explains why the same build of llama.cpp was 4.5 % faster in the second run.
- likeness of neighbours that is not drift: lag-1 autocorrelation -0.08, where independent
  samples give -0.10; so 0.0, with 0.25 at the far end of what the data allow.
- tails: excess kurtosis of the studentised series -0.34, where normal samples give -0.55 and
  Student's t with 8, 5 and 4 degrees of freedom -0.33, -0.17 and -0.05.
- loads: every stored stack was loaded once, so an effect of the load itself cannot be seen.
- the probe: no stored run has one; what it sees is an assumption, and both extremes are tried.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A model of noise. Standard deviations are relative to that of independent noise."""

    name: str
    noise: float = 0.03
    """Standard deviation of ten iterations of a stack in a row, drift included; relative time."""
    drift: float = 1.0
    """Of an Ornstein-Uhlenbeck process that all stacks share."""
    memory: float = 20.0
    """Iterations after which the drift has forgotten all but 1/e."""
    likeness: float = 0.1
    """Correlation of an iteration's own noise with the one before it in the same load."""
    tail: float = 5.0
    """Degrees of freedom of Student's t."""
    load: float = 0.0
    """Of a level that each load of a stack has of its own."""
    spreads: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0)
    """Scale of each stack's own noise."""


AS_SEEN = Machine(name="as in stored runs")
"""The estimates above, where they are unsure rounded to the side that is harder for the rule."""
INDEPENDENT = Machine(name="independent noise", drift=0.0, likeness=0.0)
WORSE = Machine(name="worse than seen", drift=2.0**0.5, likeness=0.3, tail=3.0)
RELOADS = Machine(name="each load differs", load=0.7)
UNEVEN = Machine(name="unequal spreads", spreads=(0.25, 0.7, 1.0, 2.5))
MACHINES = (AS_SEEN, INDEPENDENT, WORSE, RELOADS, UNEVEN)

PROBE_NOISE = 0.015
"""Relative standard deviation of the probe's own noise: an assumption."""
