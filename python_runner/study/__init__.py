"""Stage 1: what to compare, read from TOML and checked before anything is started."""

from python_runner.study.load import Overrides, load_study, study_names
from python_runner.study.schema import Study, Workload

__all__ = ["Overrides", "Study", "Workload", "load_study", "study_names"]
