"""Consecutive batches of a level's steady part: how sure a mean over dependent requests is.

Batch means (Law and Kelton, Simulation Modeling and Analysis, 2000, ch. 9.5; Schmeiser,
Operations Research 30, 1982: ten to thirty batches, more gain little). Requests that wait in one
queue depend on each other for about as long as an answer takes; the means of batches that are
longer than that hardly do.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy import stats

from python_runner.analyse.summary import CONFIDENCE

Floats = npt.NDArray[np.float64]

MOST_BATCHES = 10
FEWEST_BATCHES = 6
"""As many as iterations of a stack in `compare`: fewer have no interval."""
ANSWERS_LONG = 2.0
"""A batch lasts at least that many answers."""
FEWEST_VALUES = 3
"""Requests of a batch."""
_AROUND = 4.0
"""Answers that a level has before and after its steady part, about."""


def batch_count(seconds: float, answer_s: float, values: int | None) -> int:
    """How many batches a steady part has; below `FEWEST_BATCHES`: too few.

    Args:
        seconds: its length.
        answer_s: of an answer; NaN if there is none.
        values: figures that it has; None: the figure is no request's.
    """
    if not answer_s > 0:
        return 0
    longest = math.floor(seconds / (ANSWERS_LONG * answer_s))
    most = MOST_BATCHES if values is None else min(MOST_BATCHES, values // FEWEST_VALUES)
    return max(0, min(longest, most))


def seconds_for(answer_s: float) -> float:
    """How long a level has to last for all batches; rounded up to ten seconds."""
    wanted = (MOST_BATCHES * ANSWERS_LONG + _AROUND) * answer_s
    return math.ceil(wanted / 10) * 10.0


def batch_means(values: Floats, batches: int) -> Floats:
    """Means of consecutive groups, as equal in size as can be; shape (batches,)."""
    return np.array([part.mean() for part in np.array_split(values, batches)])


def batch_interval(means: Floats) -> tuple[float, float, float]:
    """Mean of the batches with its 95 % interval (Student's t)."""
    mean = float(means.mean())
    spread = float(means.std(ddof=1)) / math.sqrt(means.size)
    reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, means.size - 1)) * spread
    return mean, mean - reach, mean + reach
