"""A variant has its language's colour, and a shape and a pattern of its own."""

from dataclasses import replace

from python_runner.report.charts.data import looks
from python_runner.report.palette import LANGUAGES, VARIANTS
from python_runner.report.variants import variant_numbers
from tests.golden.frames import LLAMA_CPP, OLLAMA, build_frames
from tests.unit.report.charts.drawn import data_of, draw, words

STACKS = [
    OLLAMA,
    replace(OLLAMA, name="ollama@gogc=off", title="Ollama, GOGC off", e2e_s=7.0),
    replace(OLLAMA, name="ollama@gogc=25", title="Ollama, GOGC 25"),
    replace(LLAMA_CPP, name="llama.cpp@threads=1", title="llama.cpp, 1 thread"),
]


def test_variants_are_counted_by_language_in_order_of_measurement() -> None:
    frames = build_frames(STACKS)
    assert variant_numbers(frames.conditions) == [0, 1, 2, 1]
    assert variant_numbers(frames.conditions.iloc[::-1]) == [1, 2, 1, 0]


def test_colour_says_the_language_shape_and_pattern_the_variant() -> None:
    rows = data_of(build_frames(STACKS)).summary.sort_values("condition_id")
    drawn = [looks(row) for row in rows.to_dict(orient="records")]
    assert len({language.color for language, _ in drawn[:3]}) == 1
    assert len({language.marker for language, _ in drawn}) == 3
    assert len({reach.hatch for _, reach in drawn[:3]}) == 3
    assert drawn[3][0].color != drawn[0][0].color


def test_no_variant_looks_like_a_language() -> None:
    markers = [look.marker for look in VARIANTS]
    assert len(set(markers)) == len({look.hatch for look in VARIANTS}) == len(VARIANTS)
    assert not {look.marker for look in LANGUAGES.values()} & set(markers)


def test_pictures_say_what_marks_a_variant() -> None:
    for name in ("baseline", "iterations"):
        assert "a variant" in words(draw(name, build_frames(STACKS))).replace("\n", " ")
        assert "a variant" not in words(draw(name, build_frames([OLLAMA, LLAMA_CPP])))
