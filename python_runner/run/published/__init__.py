"""Published studies: plan one at a scale that fits, run it, and read its table again."""

from python_runner.run.published.planning import Planned, Wish, choose, plan
from python_runner.run.published.series import Made, Ran, Ways, run_series
from python_runner.run.published.tables import table_of_run, table_of_runs

__all__ = [
    "Made",
    "Planned",
    "Ran",
    "Ways",
    "Wish",
    "choose",
    "plan",
    "run_series",
    "table_of_run",
    "table_of_runs",
]
