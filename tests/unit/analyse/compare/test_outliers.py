import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from python_runner.analyse.compare import is_outlier, mark_outliers

STEADY = [100.0, 101.0, 99.0, 102.0, 98.0, 100.5]


def test_one_far_off_is_marked() -> None:
    assert is_outlier([*STEADY, 150.0]).tolist() == [False] * 6 + [True]


def test_the_fast_side_counts_too() -> None:
    assert is_outlier([*STEADY, 60.0])[-1]


def test_a_steady_stack_has_none() -> None:
    assert not is_outlier(STEADY).any()
    assert not is_outlier([5.0] * 6).any()


def test_where_most_are_equal_the_mean_deviation_judges() -> None:
    assert is_outlier([5.0] * 9 + [50.0]).tolist() == [False] * 9 + [True]


def test_three_values_are_too_few_and_failures_are_none() -> None:
    assert not is_outlier([1.0, 1.0, 9.0]).any()
    assert not is_outlier([*STEADY, np.nan])[-1]


@given(st.lists(st.floats(1, 1e3), min_size=4, max_size=12), st.sampled_from([0.5, 2.0, 1024.0]))
def test_a_unit_changes_nothing(values: list[float], unit: float) -> None:
    logs = np.log(values)
    # Scores at the very bound may fall to either side by rounding.
    spread = np.median(np.abs(logs - np.median(logs)))
    if spread > 1e-9:
        scores = np.abs(logs - np.median(logs)) / spread * 0.6745
        clear = np.abs(scores - 3.5) > 1e-6
        scaled = is_outlier(unit * np.array(values))
        assert (scaled == is_outlier(values))[clear].all()


def test_marks_stand_beside_rows_and_warm_up_is_not_judged() -> None:
    rows = pd.DataFrame(
        {
            "condition_id": [1] * 7 + [2] * 4,
            "is_warmup": [True] + [False] * 10,
            "e2e_ms": [900.0, *STEADY[:5], 150.0, 1.0, 1.0, 1.0, np.nan],
        },
        index=range(10, 21),
    )
    marks = mark_outliers(rows, "e2e_ms")
    assert marks[marks].index.tolist() == [16]
