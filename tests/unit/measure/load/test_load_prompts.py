"""What the requests of a load ask."""

from __future__ import annotations

import pytest

from python_runner.common.errors import StudyError
from python_runner.measure.load.prompts import (
    as_prompts,
    with_shared_prefix,
    words_only,
)
from tests.unit.measure.test_prompts import encode


def common(sequences: list[tuple[int, ...]]) -> int:
    return next(
        (i for i, ids in enumerate(zip(*sequences, strict=False)) if len(set(ids)) > 1),
        min(map(len, sequences)),
    )


@pytest.mark.parametrize("opening", ["", "turn user"])
@pytest.mark.parametrize(("tokens", "shared"), [(40, 20), (60, 8), (30, 25)])
def test_a_shared_prefix_has_exactly_so_many_tokens(tokens: int, shared: int, opening: str) -> None:
    prompts = with_shared_prefix(
        count=6,
        tokens=tokens,
        shared=shared,
        seed=3,
        encode=encode,
        render=lambda text: f"{opening} {text}",
    )
    assert all(len(prompt.ids) == tokens == len(encode(prompt.text)) for prompt in prompts)
    assert len({prompt.text for prompt in prompts}) == 6
    assert common([prompt.ids for prompt in prompts]) == shared


@pytest.mark.parametrize("shared", [1, 40, 41])
def test_a_shared_prefix_that_cannot_be(shared: int) -> None:
    with pytest.raises(StudyError, match="shared_prefix_tokens"):
        with_shared_prefix(
            count=2, tokens=40, shared=shared, seed=3, encode=encode, render=lambda text: text
        )


def test_words_are_different_texts_of_one_length() -> None:
    prompts = words_only(count=50, words=12, seed=3)
    assert len({prompt.text for prompt in prompts}) == 50
    assert {len(prompt.text.split()) for prompt in prompts} == {12}
    assert {prompt.ids for prompt in prompts} == {()}
    assert prompts == words_only(count=50, words=12, seed=3)


def test_texts_of_the_user_are_rendered_and_read() -> None:
    (prompt,) = as_prompts(["one"], encode=encode, render=lambda text: f"turn {text}")
    assert prompt.text == "turn one"
    assert prompt.ids == encode("turn one")
    assert as_prompts(["one"], encode=None, render=str)[0].ids == ()
