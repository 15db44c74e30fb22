"""Which stack fits a team: criteria, constraints, ranking with ranges, sensitivity.

Additive multi-attribute value: each criterion turns a measured figure into 0 to 1, and a total
is the weighted mean of those (docs/decisions/0011). What is not known may be anything from 0 to
1, so every total is a range.
"""

from python_runner.analyse.decision.criteria import CRITERIA, CRITERIA_KEYS, weights_of
from python_runner.analyse.decision.criterion import Criterion
from python_runner.analyse.decision.decide import decide
from python_runner.analyse.decision.figures import COLUMNS, Figure, StackFigures, stacks_of
from python_runner.analyse.decision.of_runs import figures_of_runs
from python_runner.analyse.decision.result import Decision, Excluded, Nearest, Part, Ranked

__all__ = [
    "COLUMNS",
    "CRITERIA",
    "CRITERIA_KEYS",
    "Criterion",
    "Decision",
    "Excluded",
    "Figure",
    "Nearest",
    "Part",
    "Ranked",
    "StackFigures",
    "decide",
    "figures_of_runs",
    "stacks_of",
    "weights_of",
]
