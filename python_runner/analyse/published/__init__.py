"""What the runs of a published study say, in the shape of its table. Pure, as all analysis.

A study's table is a function of `Source` in `SHAPES` of `make.py`: it gives rows of ours, keyed
by the columns of the published file. What is the same for all (the original's rows beside ours,
whether they may be compared, stacks that were not tried) is added in `make.py`.
"""

from python_runner.analyse.published.make import published_table
from python_runner.analyse.published.part import PartRun
from python_runner.analyse.published.table import PublishedTable, Row

__all__ = ["PartRun", "PublishedTable", "Row", "published_table"]
