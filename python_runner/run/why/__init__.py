"""Why a run came out as it did: ablations, chosen to fit into a budget, run like any study."""

from python_runner.run.why.asked import runs_explaining
from python_runner.run.why.explain import Explained, Explanation, explain, plan_explanation

__all__ = ["Explained", "Explanation", "explain", "plan_explanation", "runs_explaining"]
