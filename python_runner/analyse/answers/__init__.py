"""Whether the answers of a stack are what the model says. Pure functions on stored frames.

`limits` has every threshold and its reason, `tokens` the figures of one answer, `verdict` those
of a stack.
"""

from python_runner.analyse.answers.tokens import answer_figures
from python_runner.analyse.answers.verdict import AnswerVerdict, judge_answers, with_answers

__all__ = ["AnswerVerdict", "answer_figures", "judge_answers", "with_answers"]
