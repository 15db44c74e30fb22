"""The command line, and a mock whose collector can be switched off."""

from tests.unit.cli.conftest import polystack, results
from tests.unit.run.why.tunable import tunable

__all__ = ["polystack", "results", "tunable"]
