import json
from pathlib import Path

import pandas as pd
import pytest

from python_runner.common.errors import UsageError
from python_runner.report.export import WRITERS, export
from tests.golden.cases import CASES
from tests.golden.compare import assert_golden
from tests.golden.frames import FOUR, OLLAMA, build_frames, rename


def read(format_name: str, path: Path) -> pd.DataFrame:
    if format_name == "csv":
        return pd.read_csv(path)
    return pd.read_parquet(path) if format_name == "parquet" else pd.read_json(path)


@pytest.mark.parametrize("format_name", WRITERS)
@pytest.mark.parametrize("case", ["four", "troubled", "only failures", "nothing started"])
def test_every_format_says_the_same(case: str, format_name: str, tmp_path: Path) -> None:
    frames = CASES[case]()
    paths = export(*frames, format_name, tmp_path / "new" / f"samples.{format_name}")
    assert [path.name for path in paths] == [
        f"samples.{format_name}",
        f"samples-tokens.{format_name}",
        f"samples-pairs.{format_name}",
        f"samples-stages.{format_name}",
    ]
    samples, tokens, pairs, stages = (read(format_name, path) for path in paths)
    without = len(frames.conditions) - frames.samples["condition_id"].nunique()
    assert len(samples) == len(frames.samples) + without
    assert len(tokens) == sum(len(stamps) for stamps in frames.samples["chunk_ns"])
    for table in (samples, tokens, pairs, stages):
        assert table.empty or table["random_weights"].astype(bool).all()


def test_all_pairs_are_exported_by_every_figure(tmp_path: Path) -> None:
    *_, path = export(*build_frames(FOUR), "csv", tmp_path / "a.csv")
    pairs = pd.read_csv(path)
    assert dict(pairs["metric"].value_counts()) == {"e2e_ms": 6, "ttft_ms": 6, "tpot_ms": 6}
    assert (pairs["ratio"] >= 1).all()


def test_golden_csv(tmp_path: Path) -> None:
    frames = build_frames([FOUR[0], rename(OLLAMA, early_stops={2: 3})], iterations=2, warmup=1)
    for path in export(*frames, "csv", tmp_path / "samples.csv"):
        assert_golden(path.name, path.read_text(encoding="utf-8"))


def test_nested_values_are_json_in_csv_and_nested_in_json(tmp_path: Path) -> None:
    frames = build_frames(FOUR, iterations=1, warmup=0)
    csv, *_ = export(*frames, "csv", tmp_path / "a.csv")
    written = pd.read_csv(csv).iloc[0]
    assert json.loads(written["build"]) == dict(FOUR[0].build)
    assert json.loads(written["token_ids"]) == list(range(8))
    nested, *_ = export(*frames, "json", tmp_path / "a.json")
    record = json.loads(nested.read_text(encoding="utf-8"))[0]
    assert record["build"] == dict(FOUR[0].build)
    assert record["engine_timings"] == {"eval_ms": 12.5}
    assert record["resources"]["cpu_s"] == 1.25


def test_an_unknown_format_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown export format 'xlsx'") as caught:
        export(*build_frames(), "xlsx", tmp_path / "new" / "a.xlsx")
    assert "csv, json, parquet" in caught.value.hint
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        export(*build_frames(), "csv", tmp_path / "file" / "a.csv")
