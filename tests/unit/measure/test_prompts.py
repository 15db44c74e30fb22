"""Prompts: all different, all of the same length, the same from the same seed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from python_runner.common.errors import StudyError
from python_runner.measure import Prompt, make_prompts

BOS = 2


def encode(text: str) -> tuple[int, ...]:
    """A toy tokenizer: BOS, then a token for every three characters of each word."""
    pieces = [word[i : i + 3] for word in text.split() for i in range(0, len(word), 3)]
    return (BOS, *(int.from_bytes(piece.encode(), "big") for piece in pieces))


def make(count: int, tokens: int, seed: int = 1, opening: str = "") -> tuple[Prompt, ...]:
    return make_prompts(
        count=count,
        tokens=tokens,
        seed=seed,
        encode=encode,
        render=lambda text: f"{opening} {text}" if opening else text,
    )


@given(count=st.integers(1, 30), tokens=st.integers(8, 300), seed=st.integers(0, 9))
@settings(max_examples=40)
def test_lengths_are_exact_and_prompts_differ(count: int, tokens: int, seed: int) -> None:
    prompts = make(count, tokens, seed)
    assert len({prompt.text for prompt in prompts}) == count
    assert all(len(prompt.ids) == tokens == len(encode(prompt.text)) for prompt in prompts)


def test_no_two_prompts_share_a_first_token() -> None:
    prompts = make(12, 48)
    assert len({prompt.ids[1] for prompt in prompts}) == 12


def test_the_seed_decides() -> None:
    assert make(5, 20, seed=3) == make(5, 20, seed=3)
    assert make(5, 20, seed=3) != make(5, 20, seed=4)


def test_a_template_counts() -> None:
    prompts = make(3, 20, opening="turn user")
    assert all(prompt.text.startswith("turn user ") for prompt in prompts)
    assert all(len(prompt.ids) == 20 for prompt in prompts)


def test_a_length_shorter_than_the_template_is_refused() -> None:
    with pytest.raises(StudyError, match=r"workload\.prompt_tokens = 3"):
        make(2, 3, opening="a longer opening")
