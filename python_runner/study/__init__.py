"""Stage 1: what to compare, read from TOML and checked before anything is started."""

from python_runner.study.ablations import Ablation
from python_runner.study.claims import Claim, Claims
from python_runner.study.load_table import Load, Prompts, parse_duration, parse_slo
from python_runner.study.read import Overrides, load_study, study_names
from python_runner.study.read_claims import claims_names, load_claims
from python_runner.study.schema import Study, Workload
from python_runner.study.units import parse_percent
from python_runner.study.write import study_toml

__all__ = [
    "Ablation",
    "Claim",
    "Claims",
    "Load",
    "Overrides",
    "Prompts",
    "Study",
    "Workload",
    "claims_names",
    "load_claims",
    "load_study",
    "parse_duration",
    "parse_percent",
    "parse_slo",
    "study_names",
    "study_toml",
]
