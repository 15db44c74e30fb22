"""A run as an object that draws itself."""

from __future__ import annotations

from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from python_runner import open_run
from python_runner.common.errors import UnknownNameError, UsageError
from python_runner.notebook import Run
from python_runner.store import Store

VOID = {"br"}
FOUR = {"baseline", "baseline-zoomed", "iterations", "iterations-zoomed"}


class Checked(HTMLParser):
    """Every tag that is opened is closed; collects the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.text = ""
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_run_shows_marks_medians_verdicts_and_conditions(compared: Run) -> None:
    text = Checked(compared._repr_html_()).text
    for part in ("Run 1", "Tiny model", "TTFT", "over", "what may be said", "36 prompt tokens"):
        assert part in text
    assert text.index("Tiny model") < text.index("TTFT")
    assert "Run 1" in repr(compared)


def test_a_load_shows_its_levels(loaded: Run) -> None:
    text = Checked(loaded._repr_html_()).text
    for part in ("Run 3", "4 users", "TTFT", "p99"):
        assert part in text


def test_texts_of_others_are_escaped(stored: Path, tmp_path: Path) -> None:
    (tmp_path / "polystack.sqlite").write_bytes((stored / "polystack.sqlite").read_bytes())
    evil = "<script>alert(1)</script>"
    with Store(tmp_path / "polystack.sqlite") as store, store.transaction() as connection:
        connection.execute("UPDATE conditions SET title = title || ?, version = ?", (evil, evil))
    for run in (open_run(tmp_path, 1), open_run(tmp_path, 3)):
        shown = Checked(run._repr_html_())
        assert "script" not in shown.tags
        assert evil in shown.text
    run = open_run(tmp_path, 1)
    left, right = run.summary["stack"].head(2)
    assert "script" not in Checked(run.compare(left, right)._repr_html_()).tags
    assert "script" not in Checked(run.claims("languages")._repr_html_()).tags


@pytest.mark.parametrize("name", [*sorted(FOUR), "stages"])
def test_the_charts_of_the_reports_are_drawn(name: str, compared: Run) -> None:
    data, shown = compared.plot(name)._repr_png_()
    with Image.open(BytesIO(data)) as image:
        assert image.format == "PNG"
        assert image.width > int(str(shown["width"]))
    assert "Tiny model" in str(shown["alt"])


def test_a_run_knows_its_pictures(compared: Run, loaded: Run) -> None:
    assert set(compared.plots) >= FOUR
    assert {"ttft", "throughput", "over-time-ollama"} <= set(loaded.plots)
    assert loaded.plot("ttft").figure.axes
    assert loaded.plot().name == "users"


def test_a_pair_has_ratio_interval_and_verdict(compared: Run) -> None:
    pair = compared.compare("mock-python", "mock-cpp")
    low, high = pair.interval
    assert low <= pair.ratio <= high
    assert pair.verdict in {"faster", "slower", "no difference", "not known"}
    turned = compared.compare("mock-cpp", "mock-python")
    assert turned.ratio == pytest.approx(1 / pair.ratio)
    assert turned.row["p_holm"] == pytest.approx(pair.row["p_holm"])
    assert "what may be said" in Checked(pair._repr_html_()).text


def test_a_pair_agrees_with_the_table_of_all_pairs(compared: Run) -> None:
    pairs = compared.table("pairs")
    row = pairs[pairs["metric"] == "ttft_ms"].iloc[0]
    pair = compared.compare(row["stack_left"], row["stack_right"], metric="ttft_ms")
    for name in ("ratio", "ratio_low", "ratio_high", "p", "p_holm", "verdict"):
        assert pair.row[name] == row[name]


def test_rates_are_compared_as_rates(compared: Run) -> None:
    slow, fast = compared.summary["stack"].iloc[[-1, 0]]
    time = compared.compare(slow, fast, metric="tpot_ms")
    rate = compared.compare(slow, fast, metric="decode_tokens_per_s")
    assert rate.ratio == pytest.approx(1 / time.ratio, rel=1e-6)
    assert rate.verdict == time.verdict
    assert "tokens/s" not in repr(time)


def test_claims_are_judged(compared: Run) -> None:
    judged = compared.claims("languages")
    assert set(judged.frame["verdict"]) <= {"supported", "refuted", "inconclusive"}
    assert judged.frame.iloc[0]["claim"] == "1"
    text = Checked(judged._repr_html_()).text
    assert "Tiny model" in text
    assert "inconclusive" in repr(judged)


@pytest.mark.parametrize(
    ("left", "right", "metric", "says"),
    [
        ("mock-cpp", "mock-cp", "e2e_ms", "unknown stack of this run 'mock-cp'"),
        ("mock-cpp", "mock-cpp", "e2e_ms", "are the same stack"),
        ("mock-cpp", "mock-go", "e2e", "unknown figure 'e2e'"),
    ],
)
def test_a_pair_that_cannot_be(
    left: str, right: str, metric: str, says: str, compared: Run
) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        compared.compare(left, right, metric=metric)
    assert caught.value.hint


def test_a_stack_without_a_value_says_why(stored: Path, tmp_path: Path) -> None:
    (tmp_path / "polystack.sqlite").write_bytes((stored / "polystack.sqlite").read_bytes())
    with Store(tmp_path / "polystack.sqlite") as store, store.transaction() as connection:
        connection.execute("UPDATE conditions SET error = 'killed' WHERE stack = 'mock-go'")
        connection.execute(
            "UPDATE samples SET error = 'killed' WHERE condition_id IN"
            " (SELECT condition_id FROM conditions WHERE stack = 'mock-go')"
        )
    run = open_run(tmp_path, 1)
    with pytest.raises(UsageError, match="no timed request with e2e_ms: killed"):
        run.compare("mock-cpp", "mock-go")
    assert "no result" in Checked(run._repr_html_()).text


def test_what_a_load_does_not_have(loaded: Run) -> None:
    with pytest.raises(UsageError, match="is a load"):
        loaded.compare("llama-server", "ollama")
    with pytest.raises(UsageError, match="is a load"):
        loaded.claims("languages")
    with pytest.raises(UnknownNameError, match="picture of a load 'baseline'"):
        loaded.plot("baseline")


def test_unknown_picture_path_and_claims(compared: Run) -> None:
    with pytest.raises(UnknownNameError, match="picture of a comparison"):
        compared.plot("basline")
    with pytest.raises(UnknownNameError, match="unknown path 'http'"):
        compared.claims("languages", path="http")
    with pytest.raises(UnknownNameError):
        compared.claims("nobody's")


def test_one_run_is_opened_and_not_several(stored: Path) -> None:
    assert open_run(stored).id == 3
    with pytest.raises(UsageError, match="these are 3"):
        open_run(stored, "all")


def test_the_sample_shows_itself() -> None:
    run = open_run("sample")
    text = Checked(run._repr_html_()).text
    assert "says nothing about languages" in text
    assert "mistral.rs" in text
    assert "Answers, token by token" in text
