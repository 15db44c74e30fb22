"""Stage 1: what to compare, read from TOML and checked before anything is started."""

from python_runner.study.ablations import Ablation
from python_runner.study.load_table import Load, Prompts, parse_duration, parse_slo
from python_runner.study.read import Overrides, load_study, study_names
from python_runner.study.schema import Study, Workload

__all__ = [
    "Ablation",
    "Load",
    "Overrides",
    "Prompts",
    "Study",
    "Workload",
    "load_study",
    "parse_duration",
    "parse_slo",
    "study_names",
]
