"""The arithmetic of the workbench's price."""

from __future__ import annotations

import pytest

from python_runner.run.overhead.bare import take_turns
from python_runner.run.overhead.price import price_of_rate, price_with_bound


def test_the_ratio_is_the_median_of_the_pairs() -> None:
    price = price_of_rate("binding", "bench", ours=[9.0, 5.0, 19.0], bare=[10.0, 10.0, 20.0])
    assert price.score == pytest.approx(0.9)
    assert not price.is_met


def test_as_fast_as_the_bare_program_is_enough() -> None:
    assert price_of_rate("binding", "bench", ours=[9.8], bare=[10.0]).is_met


def test_a_cost_must_stay_below_its_bound() -> None:
    assert price_with_bound("start", cost=0.2, most=0.3, unit="s").is_met
    assert not price_with_bound("start", cost=0.3, most=0.3, unit="s").is_met


def test_who_goes_first_changes_with_every_round_after_a_warm_up() -> None:
    order = []

    def request(name: str) -> int:
        order.append(name)
        return len(order)

    taken = take_turns(lambda: request("ours"), lambda: request("bare"), rounds=2)
    assert order == ["ours", "bare", "ours", "bare", "bare", "ours"]
    assert taken == {"ours": [3, 6], "bare": [4, 5]}
