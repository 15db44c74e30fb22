"""Loads on servers whose truth is known, through the workbench's own stages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from python_runner.analyse.load.request import request_figures
from python_runner.common.progress import SilentProgress
from python_runner.engines.contract import Dialect
from python_runner.engines.outside import Outside, OutsideEngine
from python_runner.engines.outside.dialects import PATHS, Options
from python_runner.run.load import load_outside
from python_runner.run.load_plan import Asked
from python_runner.store import Frames, Store, read_frames
from python_runner.study import Study

NS_PER_MS = 1_000_000


@dataclass(frozen=True)
class Measured:
    """One stored load, read back."""

    frames: Frames
    broken: Mapping[str, str]

    @property
    def requests(self) -> pd.DataFrame:
        """With their figures, in the order of sending."""
        figures = request_figures(self.frames.load_requests, self.frames.load_levels)
        return figures.sort_values(["level_id", "number"])


def study_of(load: Mapping[str, Any], **workload: int) -> Study:
    return Study.model_validate(
        {
            "name": "load",
            "title": "a test",
            "model": "truth",
            "stacks": ("truth",),
            "workload": {"prompt_tokens": 16, "new_tokens": 20, **workload},
            "load": {"ignore_eos": True, **load},
        }
    )


def put_load(
    url: str,
    study: Study,
    folder: Path,
    *,
    dialect: Dialect = Dialect.OPENAI_COMPLETIONS,
) -> Measured:
    """Put the study's load on a server, into a store of its own."""
    target = Outside(url=url + PATHS[dialect], dialect=dialect)
    engine = OutsideEngine(target, Options(model="truth", ignore_eos=True))
    with Store(folder / "polystack.sqlite", create=True) as store:
        outcome = load_outside(
            study,
            store,
            engine,
            Asked(model="truth", outside=target),
            logs=folder / "logs",
            progress=SilentProgress(),
        )
        return Measured(read_frames(store, [outcome.run_id]), outcome.broken)


def gaps_ms(stamps: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    return np.diff(stamps) / NS_PER_MS
