"""The colours stay apart for every reader, on paper too."""

from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest

from python_runner.analyse.stages.breakdown import Stage
from python_runner.engines.contract import Language, Reach
from python_runner.report.palette import (
    INK,
    LANGUAGES,
    PAPER,
    QUIET,
    REACHES,
    STAGES,
    TINTS,
    WARNING,
    dark_twins,
    tint,
)

Array = npt.NDArray[np.float64]

# Machado, Oliveira and Fernandes 2009, severity 1.0, for linear RGB.
VISION = {
    "usual": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
# sRGB to CIE XYZ, D65.
XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
FOUR = [Language.CPP, Language.GO, Language.RUST, Language.PYTHON]


def linear(color: str) -> Array:
    channels = np.array([int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)])
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def cielab(rgb: Array) -> Array:
    scaled = XYZ @ np.clip(rgb, 0, 1) / np.array([0.95047, 1.0, 1.08883])
    f = np.where(scaled > 216 / 24389, np.cbrt(scaled), (24389 / 27 * scaled + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(color: str, paper: str) -> float:
    bright, dark = sorted((float((XYZ @ linear(c))[1]) for c in (color, paper)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("vision", VISION)
def test_colours_differ_however_they_are_seen(vision: str) -> None:
    seen = [cielab(VISION[vision] @ linear(LANGUAGES[language].color)) for language in FOUR]
    differences = [float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2)]
    assert min(differences) >= 25


@pytest.mark.parametrize("vision", VISION)
def test_parts_of_a_bar_differ(vision: str) -> None:
    """Any two may be neighbours, where those between them are too short to be seen."""
    seen = [cielab(VISION[vision] @ linear(STAGES[stage])) for stage in Stage]
    assert min(float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2)) >= 20


def test_every_language_and_path_has_a_look_of_its_own() -> None:
    assert set(LANGUAGES) == set(Language)
    assert set(REACHES) == set(Reach)
    assert len({look.marker for look in LANGUAGES.values()}) == len(LANGUAGES)
    assert len({look.color for look in LANGUAGES.values()}) == len(LANGUAGES)
    assert len({look.hatch for look in REACHES.values()}) == len(REACHES)
    assert len({look.is_filled for look in REACHES.values()}) == len(REACHES)


@pytest.mark.parametrize("color", [INK, QUIET, WARNING])
def test_text_is_readable(color: str) -> None:
    assert contrast(color, PAPER) >= 4.5


def test_tint_goes_from_white_to_the_colour() -> None:
    assert tint("#0B4F94", 0.0) == "#FFFFFF"
    assert tint("#0B4F94", 1.0) == "#0B4F94"
    assert tint("#000000", 0.5) == "#808080"


@pytest.mark.parametrize("vision", VISION)
def test_on_dark_ground_colours_differ_as_much(vision: str) -> None:
    twins = dark_twins()
    seen = [cielab(VISION[vision] @ linear(twins[LANGUAGES[one].color])) for one in FOUR]
    assert min(float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2)) >= 25
    parts = [cielab(VISION[vision] @ linear(twins[STAGES[stage]])) for stage in Stage]
    assert min(float(np.linalg.norm(a - b)) for a, b in combinations(parts, 2)) >= 20


@pytest.mark.parametrize("color", [INK, QUIET, WARNING])
def test_text_is_readable_on_dark_ground(color: str) -> None:
    twins = dark_twins()
    assert contrast(twins[color], twins[PAPER]) >= 4.5


def test_marks_and_parts_stand_out_from_dark_ground() -> None:
    twins = dark_twins()
    for color in (*(LANGUAGES[one].color for one in FOUR), *STAGES.values()):
        assert contrast(twins[color], twins[PAPER]) >= 3


def test_tints_have_twins_too() -> None:
    twins = dark_twins()
    for strength in TINTS:
        assert twins[tint(LANGUAGES[Language.GO].color, strength)] == tint(
            twins[LANGUAGES[Language.GO].color], strength, paper=twins[PAPER]
        )
