"""What may be said of two stacks, in words."""

import pandas as pd
import pytest

from python_runner.report.terminal import run_detail, summary_report
from python_runner.report.units import MISSING, TIMES, TO
from python_runner.report.words.pairs import spell_p, spell_ratios, verdict_words
from tests.golden.cases import CASES
from tests.golden.compare import rendered
from tests.golden.frames import FOUR, LLAMA_CPP, OLLAMA, Frames, build_frames, rename


def said(frames: Frames) -> str:
    return " ".join(rendered(summary_report(*frames), 120).split())


def test_a_slower_stack_is_called_slower() -> None:
    words = said(build_frames(FOUR))
    assert "mistral.rs (wheel) is slower" in words
    assert "over transformers" in words


def test_embedded_and_served_are_not_mixed_in_silence() -> None:
    words = said(build_frames(FOUR))
    assert "over llama.cpp (served over embedded)" in words
    assert words.count("over embedded)") + words.count("over served)") == 3


def test_equal_stacks_are_called_equal() -> None:
    frames = build_frames([LLAMA_CPP, rename(LLAMA_CPP, name="twin", title="twin")])
    same = frames.samples.groupby("stack")["chunk_ns"].first()["llama.cpp"]
    offsets = frames.samples["iteration"] % 2 * 10_000_000
    frames.samples["requested_ns"] = [same[0] - 10**9 - offset for offset in offsets]
    frames.samples["chunk_ns"] = [same] * len(frames.samples)
    assert "no difference" in said(frames)


def test_the_noise_floor_and_its_source_are_named() -> None:
    frames = build_frames(FOUR)
    assert "(probe)" in said(frames)
    blind = frames.samples.drop(columns=["probe_compute_ns", "probe_memory_ns"])
    assert "5 % (assumed: no probe)" in said(frames._replace(samples=blind))


def test_a_machine_that_was_not_quiet_is_told() -> None:
    frames = build_frames(FOUR)
    assert "not quiet" not in said(frames)
    slow = frames.samples["stack"].map({"ollama": 1.5}).fillna(1.0)
    busy = frames.samples.assign(probe_memory_ns=frames.samples["probe_memory_ns"] * slow)
    assert "It was not quiet" in said(frames._replace(samples=busy))


def test_one_stack_has_no_pair() -> None:
    assert "what may be said" not in said(build_frames([LLAMA_CPP]))
    assert "what may be said" not in said(CASES["only failures"]())


def test_many_stacks_stand_beside_the_fastest() -> None:
    words = said(CASES["seven"]())
    assert words.count("over transformers") == 6
    assert "all 21 pairs are in the export" in words


def test_an_outlier_is_named_and_marked() -> None:
    frames = build_frames([LLAMA_CPP, OLLAMA])
    samples = frames.samples
    is_late = (samples["stack"] == "ollama") & (samples["iteration"] == 4) & ~samples["is_warmup"]
    samples["chunk_ns"] = [
        stamps + 60 * 10**9 * late
        for stamps, late in zip(samples["chunk_ns"], is_late, strict=True)
    ]
    assert "Outliers, marked and kept: Ollama iteration 4." in said(frames)
    assert "complete, outlier" in rendered(run_detail(*frames), 120)


def test_several_looks_are_told() -> None:
    frames = build_frames(FOUR)
    runs = frames.runs.assign(looks=pd.Series([{"at": [5, 10], "limit": 20}], dtype=object))
    assert "looked at several times" in said(frames._replace(runs=runs))


@pytest.mark.parametrize(
    ("p", "text"), [(0.0321, "0.032"), (0.0001, "<0.001"), (float("nan"), MISSING)]
)
def test_p_is_spelled(p: float, text: str) -> None:
    assert spell_p(p) == text


def test_an_unknown_interval_is_a_dash() -> None:
    assert spell_ratios(float("nan"), 1.0) == MISSING
    assert spell_ratios(0.914, 1.219) == f"0.91{TO}1.22{TIMES}"


def test_what_is_not_known_is_not_dressed_up() -> None:
    assert verdict_words({"verdict": "not known", "title_left": "x"}) == "not known"
