"""polystack: one model, serving stacks in four languages, every token timed.

For analysts: `load` gives stored runs as a tidy frame, `open_run` one run that draws itself,
`plot` draws a frame, `runs` lists what is stored, `columns` says what a table holds. They are
imported when they are used, so that `import python_runner` takes no time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from python_runner.notebook import columns, load, open_run, plot, runs

__version__ = "0.1.0"
__all__ = ["__version__", "columns", "load", "open_run", "plot", "runs"]


def __getattr__(name: str) -> object:
    if name.startswith("_") or name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from python_runner import notebook

    return getattr(notebook, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
