"""Engines that files of ours name are there: a claim about no engine can never be judged."""

from __future__ import annotations

import pytest

from python_runner.engines.table import engine
from python_runner.study import claims_names, load_claims, load_published, published_names


@pytest.mark.parametrize("name", claims_names())
def test_engines_that_claims_speak_of(name: str) -> None:
    for stack in load_claims(name).stacks.values():
        for each in (*stack.engines, *stack.stand_ins):
            assert engine(each).spec.name == each


@pytest.mark.parametrize("name", published_names())
def test_engines_that_are_an_originals_platforms(name: str) -> None:
    published = load_published(name)
    named = [each for engines in published.original.platforms.values() for each in engines]
    for each in (*named, *published.also):
        assert engine(each).spec.name == each
