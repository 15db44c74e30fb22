"""Stacks beside each other: ratios, tests, and what may be said.

`compare_pairs` makes the table, `pairs_of_run` that of a run; `decide` is the rule. Below:
`blocks` and `permutation` (the test), `family` (Holm), `effect` (Cliff's delta), `noise` (the
floor), `outliers`, `looks` (going on until an interval is narrow), and `change` (two runs).
"""

from python_runner.analyse.compare.change import RunChange, change_between, really_slower
from python_runner.analyse.compare.effect import EffectSize, cliffs_delta, size_of
from python_runner.analyse.compare.family import Pair, holm
from python_runner.analyse.compare.looks import Look, Next, look, look_alpha
from python_runner.analyse.compare.of_run import METRICS, alpha_of_run, pairs_of_run
from python_runner.analyse.compare.outliers import is_outlier, mark_outliers
from python_runner.analyse.compare.pairs import all_pairs, compare_pairs, matching_pairs
from python_runner.analyse.compare.verdict import Reason, Verdict, decide

__all__ = [
    "METRICS",
    "EffectSize",
    "Look",
    "Next",
    "Pair",
    "Reason",
    "RunChange",
    "Verdict",
    "all_pairs",
    "alpha_of_run",
    "change_between",
    "cliffs_delta",
    "compare_pairs",
    "decide",
    "holm",
    "is_outlier",
    "look",
    "look_alpha",
    "mark_outliers",
    "matching_pairs",
    "pairs_of_run",
    "really_slower",
    "size_of",
]
