"""Claims held against stored runs: supported, refuted or inconclusive, and why.

`judge_claims` judges a claim file by one run. `cast` finds who stands for whom, `evidence`
compares all pairs that are asked for, `ranges`, `counts` and `causes` hold the rules, and
`apart` says which runs must not be put together.
"""

from python_runner.analyse.claims.apart import RunFrames, not_pooled
from python_runner.analyse.claims.judge import judge_claims
from python_runner.analyse.claims.result import (
    ClaimJudgement,
    ClaimVerdict,
    Effect,
    Finding,
    Part,
    RunJudgement,
    Unit,
)
from python_runner.analyse.claims.together import Together, together

__all__ = [
    "ClaimJudgement",
    "ClaimVerdict",
    "Effect",
    "Finding",
    "Part",
    "RunFrames",
    "RunJudgement",
    "Together",
    "Unit",
    "judge_claims",
    "not_pooled",
    "together",
]
