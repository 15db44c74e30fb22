"""Outliers are marked and kept: ten samples are too few to throw one away."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

MOST_SCORE = 3.5
_NORMAL_MAD = 0.6745
_NORMAL_MEAN = 0.7979
"""Median and mean absolute deviation of a normal variable, in standard deviations."""
_FEWEST = 4


def is_outlier(values: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """The rule of Iglewicz and Hoaglin (How to Detect and Handle Outliers, 1993).

    A modified z-score of more than 3.5: the distance from the median over the median absolute
    deviation, which the outlier itself cannot widen; on logs, because latencies lean to the
    slow side. Where more than half of the values are equal, the mean absolute deviation takes
    its place, as they propose. NaN, and sets of fewer than four values, have none.

    Args:
        values: positive numbers of one stack, shape (n,).
    """
    data = np.asarray(values, dtype=np.float64)
    known = data > 0
    marks = np.zeros(data.shape, dtype=bool)
    if known.sum() < _FEWEST:
        return marks
    logs = np.log(data[known])
    distance = np.abs(logs - np.median(logs))
    scale = np.median(distance) / _NORMAL_MAD or distance.mean() / _NORMAL_MEAN
    if scale > 0:
        marks[known] = distance / scale > MOST_SCORE
    return marks


def mark_outliers(measured: pd.DataFrame, metric: str) -> pd.Series[bool]:
    """Which timed requests are outliers within their condition.

    Args:
        measured: `request_metrics`'s rows.
        metric: one of its columns; only timed requests with a value are judged.

    Returns:
        A mark for each row of `measured`; False for warm-up and failed requests.
    """
    marks = pd.Series(data=False, index=measured.index)
    timed = measured[~measured["is_warmup"].astype(bool) & measured[metric].notna()]
    for _, rows in timed.groupby("condition_id"):
        marks.loc[rows.index] = is_outlier(rows[metric].to_numpy(dtype=np.float64))
    return marks
