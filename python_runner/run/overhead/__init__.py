"""What the workbench costs: our drivers beside the barest thing that does the same work."""

from python_runner.run.overhead.price import Price
from python_runner.run.overhead.survey import Survey, overhead, survey_of

__all__ = ["Price", "Survey", "overhead", "survey_of"]
