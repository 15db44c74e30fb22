"""Stage 1: what to compare, read from TOML and checked before anything is started."""

from python_runner.study.ablations import Ablation
from python_runner.study.claims import Claim, Claims
from python_runner.study.endpoints import EndpointTable
from python_runner.study.load_table import Load, Prompts, parse_duration, parse_slo
from python_runner.study.published import (
    Column,
    Original,
    Part,
    Published,
    PublishedMark,
    Scale,
    mark_of,
    platforms_of,
)
from python_runner.study.read import Overrides, load_study, study_names
from python_runner.study.read_claims import claims_names, load_claims
from python_runner.study.read_published import load_published, published_names, reference_of
from python_runner.study.read_team import load_team, parse_team, team_names
from python_runner.study.schema import Study, Workload
from python_runner.study.team import Team
from python_runner.study.units import parse_percent
from python_runner.study.write import study_toml
from python_runner.study.write_team import team_toml

__all__ = [
    "Ablation",
    "Claim",
    "Claims",
    "Column",
    "EndpointTable",
    "Load",
    "Original",
    "Overrides",
    "Part",
    "Prompts",
    "Published",
    "PublishedMark",
    "Scale",
    "Study",
    "Team",
    "Workload",
    "claims_names",
    "load_claims",
    "load_published",
    "load_study",
    "load_team",
    "mark_of",
    "parse_duration",
    "parse_percent",
    "parse_slo",
    "parse_team",
    "platforms_of",
    "published_names",
    "reference_of",
    "study_names",
    "study_toml",
    "team_names",
    "team_toml",
]
