"""Stage 4: check that the work is the same, warm up, and take timed samples."""

from python_runner.measure.plan import Plan, Prompt
from python_runner.measure.prompts import make_prompts
from python_runner.measure.sample import Condition, Recorder, Sample
from python_runner.measure.stack import measure_stack

__all__ = [
    "Condition",
    "Plan",
    "Prompt",
    "Recorder",
    "Sample",
    "make_prompts",
    "measure_stack",
]
