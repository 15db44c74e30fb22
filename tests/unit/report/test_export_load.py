from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from python_runner.report.export import WRITERS, export_load
from python_runner.store import Frames
from tests.golden.compare import assert_golden
from tests.golden.loads import LLAMA, LOADS, OLLAMA, build_load, closed_levels
from tests.unit.report.test_export import read


@pytest.mark.parametrize("format_name", WRITERS)
@pytest.mark.parametrize("case", ["one level", "open", "troubled", "nothing started", "no stack"])
def test_every_format_has_a_row_for_each_request_and_for_each_chunk(
    case: str, format_name: str, tmp_path: Path
) -> None:
    frames = LOADS[case]()
    paths = export_load(frames, format_name, tmp_path / f"requests.{format_name}")
    assert [path.name for path in paths] == [
        f"requests.{format_name}",
        f"requests-chunks.{format_name}",
        f"requests-fairness.{format_name}",
    ]
    requests, chunks = (read(format_name, path) for path in paths[:2])
    without = len(frames.conditions) - frames.load_requests["condition_id"].nunique()
    assert len(requests) == len(frames.load_requests) + without
    assert len(chunks) == sum(len(stamps) for stamps in frames.load_requests["chunk_ns"])


def small() -> Frames:
    servers = [LLAMA, OLLAMA]
    return build_load(servers, closed_levels([2], requests=4, warmup=1), slo={"ttft": "40ms"})


def test_golden_csv(tmp_path: Path) -> None:
    for path in export_load(small(), "csv", tmp_path / "requests.csv"):
        assert_golden(path.name, path.read_text(encoding="utf-8"))


def test_figures_can_be_had_from_the_chunks(tmp_path: Path) -> None:
    requests, chunks = (
        pd.read_parquet(path)
        for path in export_load(LOADS["troubled"](), "parquet", tmp_path / "a.parquet")[:2]
    )
    key = ["stack", "level", "number"]
    first = chunks[chunks["chunk_index"] == 1].set_index(key)["t_ms"]
    known = requests[requests["ttft_ms"].notna()].set_index(key)["ttft_ms"]
    assert np.allclose(first.loc[known.index], known)
    gaps = chunks["gap_ms"].dropna()
    assert (gaps > 0).all()
    together = chunks.groupby(key)["read"].apply(lambda reads: int(reads.duplicated().sum()))
    counted = requests.dropna(subset=["n_unknown_gaps"]).set_index(key)["n_unknown_gaps"]
    assert together.tolist() == counted.loc[together.index].tolist()
