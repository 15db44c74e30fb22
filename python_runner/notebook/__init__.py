"""Above the stages, for analysts: runs as tidy frames, and objects that draw themselves.

What is here is offered as `python_runner.load`, `python_runner.open_run` and so on; it is
imported when it is asked for.
"""

from python_runner.notebook.comparison import Comparison
from python_runner.notebook.draw import plot
from python_runner.notebook.picture import Picture
from python_runner.notebook.run import Run, open_run
from python_runner.notebook.tables import columns, load, runs

__all__ = ["Comparison", "Picture", "Run", "columns", "load", "open_run", "plot", "runs"]
