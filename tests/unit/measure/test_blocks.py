"""Iterations are spread over blocks, and blocks take turns."""

from hypothesis import given
from hypothesis import strategies as st

from python_runner.measure import Plan, Prompt, make_blocks, visiting_order
from python_runner.measure.blocks import Block


@given(iterations=st.integers(1, 200), blocks=st.integers(1, 50))
def test_every_iteration_lies_in_one_block(iterations: int, blocks: int) -> None:
    made = make_blocks(iterations, blocks)
    numbers = [n for block in made for n in range(block.first, block.first + block.count)]
    assert numbers == list(range(1, iterations + 1))
    assert [block.number for block in made] == list(range(1, min(blocks, iterations) + 1))
    assert {block.count for block in made} <= {made[-1].count, made[-1].count + 1}


def test_ten_iterations_are_five_blocks_of_two() -> None:
    assert [block.count for block in make_blocks(10, 5)] == [2, 2, 2, 2, 2]
    assert [block.count for block in make_blocks(10, 4)] == [3, 3, 2, 2]


def test_later_blocks_go_on_counting() -> None:
    first, second = make_blocks(4, 2, first_number=6, first_iteration=11)
    assert (first.number, first.first) == (6, 11)
    assert (second.number, second.first) == (7, 13)


def test_every_block_visits_every_stack_once_and_turns() -> None:
    orders = [visiting_order(4, block) for block in range(8)]
    assert all(sorted(order) == [0, 1, 2, 3] for order in orders)
    assert orders[1] == orders[0][::-1]
    assert {order[0] for order in orders[::2]} == {0, 1, 2, 3}


def plan(*, warmup: int, again: int, iterations: int) -> Plan:
    names = [f"w{n}" for n in range(1, warmup + 1)]
    names += [f"t{n}" for n in range(1, iterations + 1)]
    names += [f"a{n}" for n in range(1, again + 1)]
    return Plan(
        warmup=warmup,
        warmup_again=again,
        prompts=tuple(Prompt(text=name, ids=(2,)) for name in names),
        new_tokens=4,
        template="raw",
        sampling="greedy",
        seed=1,
        prompt_cache="unique prompts",
    )


def test_a_first_visit_is_warmed_up_longer_than_a_later_one() -> None:
    made = plan(warmup=2, again=1, iterations=4)
    one, two = (Block(number=n, first=2 * n - 1, count=2) for n in (1, 2))
    first, second = made.visit(one, before=0), made.visit(two, before=1)
    assert [each.prompt.text for each in first.requests] == ["w1", "w2", "t1", "t2"]
    assert [each.prompt.text for each in second.requests] == ["a1", "t3", "t4"]
    assert [each.iteration for each in second.requests] == [3, 3, 4]
    assert (first.is_first, second.is_first) == (True, False)


def test_without_warm_up_no_visit_has_any() -> None:
    made = plan(warmup=0, again=0, iterations=4)
    second = made.visit(Block(number=2, first=3, count=2), before=1)
    assert [each.prompt.text for each in second.requests] == ["t3", "t4"]


def test_a_prompt_is_asked_once() -> None:
    made = plan(warmup=2, again=4, iterations=10)
    asked = [
        each.prompt.text
        for before, block in enumerate(make_blocks(10, 5))
        for each in made.visit(block, before=before).requests
    ]
    assert sorted(asked) == sorted(each.text for each in made.prompts)
