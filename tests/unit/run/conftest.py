"""The command line, as in the tests of `cli`."""

from tests.unit.cli.conftest import polystack, results

__all__ = ["polystack", "results"]
