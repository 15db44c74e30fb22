"""The effect of one change, and why there is none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from python_runner.analyse.ablations import ablation_effects
from python_runner.report.words.ablations import sentence
from tests.golden.frames import LLAMA_CPP, OLLAMA, build_frames

OFF = replace(OLLAMA, name="ollama@gogc=off", title="Ollama, GOGC off", e2e_s=OLLAMA.e2e_s * 0.8)
ASKED: dict[str, Any] = {
    "key": "gogc",
    "question": "Is it Go's collector?",
    "change": "Switching it off",
    "left": "ollama@gogc=off",
    "right": "ollama",
    "metric": "e2e_ms",
    "if_equal": "It is not.",
    "if_not": "It is.",
}


def test_the_effect_is_the_change_of_the_left_one() -> None:
    frames = build_frames([OLLAMA, OFF, LLAMA_CPP])
    (row,) = ablation_effects(frames.samples, frames.conditions, [ASKED]).to_dict("records")
    assert row["effect"] == pytest.approx(-0.2, abs=0.03)
    assert row["effect_low"] < row["effect"] < row["effect_high"]
    assert row["effect"] == row["ratio"] - 1
    assert (row["title_left"], row["title_right"]) == ("Ollama, GOGC off", "Ollama")
    assert row["lack"] == ""


def test_each_metric_is_a_family_of_its_own_and_the_order_stays() -> None:
    frames = build_frames([OLLAMA, OFF])
    asked = [{**ASKED, "metric": "ttft_ms"}, ASKED, {**ASKED, "metric": "tpot_ms"}]
    found = ablation_effects(frames.samples, frames.conditions, asked)
    assert list(found["metric"]) == ["ttft_ms", "e2e_ms", "tpot_ms"]
    alone = ablation_effects(frames.samples, frames.conditions, [ASKED])
    assert found["p_holm"].iloc[1] == alone["p_holm"].iloc[0]


def test_a_stack_that_was_not_measured_is_named() -> None:
    frames = build_frames([OLLAMA, LLAMA_CPP])
    asked = [ASKED, {**ASKED, "left": "llama.cpp"}]
    found = ablation_effects(frames.samples, frames.conditions, asked).to_dict("records")
    assert found[0]["lack"] == "ollama@gogc=off was not measured"
    assert "could not be tested. ollama@gogc=off was not measured." in sentence(found[0])
    assert found[1]["lack"] == ""


def test_a_stack_without_a_figure_says_why() -> None:
    dead = replace(OFF, samples_kept=0, error="signal SIGILL")
    frames = build_frames([OLLAMA, dead])
    (row,) = ablation_effects(frames.samples, frames.conditions, [ASKED]).to_dict("records")
    assert row["lack"] == "Ollama, GOGC off gave no result: signal SIGILL"


@pytest.mark.parametrize(
    ("verdict", "reason", "said"),
    [
        ("no difference", "below the noise floor", ": no difference."),
        ("slower", "above the noise floor, and not chance", ": slower."),
        ("not known", "too few samples", ": not known (too few samples)."),
    ],
)
def test_the_verdict_is_said_in_plain_words(verdict: str, reason: str, said: str) -> None:
    row = {**ASKED, "lack": "", "verdict": verdict, "reason": reason}
    figures = {"effect": 0.003, "effect_low": -0.011, "effect_high": 0.016}
    expected = f"Switching it off changes E2E latency by +0.3 % (\N{MINUS SIGN}1.1 … +1.6){said}"
    assert sentence({**row, **figures}) == expected


def test_a_large_effect_is_a_factor() -> None:
    row = {**ASKED, "lack": "", "verdict": "slower", "reason": ""}
    figures = {"effect": 10.24, "effect_low": 9.4, "effect_high": 11.2}
    factor = "11.2\N{MULTIPLICATION SIGN} (10.4\N{EN DASH}12.2)"
    said = sentence({**row, **figures})
    assert said == f"Switching it off makes E2E latency {factor}: slower."
