"""Stage 4: check that the work is the same, warm up, and take timed samples."""

from python_runner.measure.blocks import Block, make_blocks, visiting_order
from python_runner.measure.machine_noise import MachineProbe, NoiseProbe, NoiseReading
from python_runner.measure.plan import Plan, Prompt, Visit
from python_runner.measure.prompts import make_prompts
from python_runner.measure.sample import Condition, FailedAttempt, Recorder, Sample
from python_runner.measure.stack import FailureStreak, measure_stack

__all__ = [
    "Block",
    "Condition",
    "FailedAttempt",
    "FailureStreak",
    "MachineProbe",
    "NoiseProbe",
    "NoiseReading",
    "Plan",
    "Prompt",
    "Recorder",
    "Sample",
    "Visit",
    "make_blocks",
    "make_prompts",
    "measure_stack",
    "visiting_order",
]
