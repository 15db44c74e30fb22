"""Which ablations are offered for which stacks, and which fit into the time."""

from __future__ import annotations

import pytest

from python_runner.common.errors import UnknownNameError
from python_runner.common.variants import parse_stack
from python_runner.engines.mock import MockEngine
from python_runner.run.why.budget import AROUND_S, Choice, Costs, Figures, Work, choose, stacks_of
from python_runner.run.why.candidates import Candidate, find_candidates
from python_runner.run.why.table import CAUSES, Seen, causes


def seen(name: str, *, precision: str = "bf16", threads: int = 1) -> Seen:
    return Seen(name=parse_stack(name), title=f"<{name}>", precision=precision, threads=threads)


def pairs(*stacks: Seen, only: tuple[str, ...] = ()) -> dict[str, set[tuple[str, str]]]:
    found: dict[str, set[tuple[str, str]]] = {}
    for each in find_candidates(stacks, only=only):
        found.setdefault(each.ablation.key, set()).add((each.ablation.left, each.ablation.right))
    return found


def test_gos_collector_is_a_cause_for_stacks_in_go_only() -> None:
    found = pairs(seen("ollama"), seen("go-driver"), seen("transformers"), seen("llama.cpp"))
    assert found["gogc"] == {
        (f"{stack}@gogc={value}", stack)
        for stack in ("ollama", "go-driver")
        for value in ("off", "25")
    }
    assert found["gc"] == {("transformers@gc=off", "transformers")}


def test_precision_goes_from_what_it_was() -> None:
    assert pairs(seen("llama.cpp"))["precision"] == {("llama.cpp@precision=8bit", "llama.cpp")}
    eight = pairs(seen("llama.cpp", precision="8bit"))["precision"]
    assert eight == {("llama.cpp@precision=bf16", "llama.cpp")}
    assert "precision" not in pairs(seen("llama.cpp", precision="q4_0")), "a GGUF file alone"


def test_one_thread_has_no_half() -> None:
    assert "threads" not in pairs(seen("ollama"))
    assert pairs(seen("ollama", threads=4))["threads"] == {("ollama@threads=2", "ollama")}


def test_embedded_and_served_are_a_pair_once() -> None:
    both = pairs(seen("llama.cpp"), seen("llama-server"))["serving"]
    assert both == {("llama-server", "llama.cpp")}
    assert pairs(seen("ollama@gogc=off"))["serving"] == {("ollama@gogc=off", "go-driver@gogc=off")}
    assert "serving" not in pairs(seen("llama-server@prompt-cache=on")), (
        "the other has no such knob"
    )
    assert "serving" not in pairs(seen("mistral.rs-wheel"))


def test_what_a_variant_has_turned_is_left_alone() -> None:
    found = pairs(seen("ollama@gogc=off", threads=2))
    assert "gogc" not in found
    assert found["threads"] == {("ollama@gogc=off+threads=1", "ollama@gogc=off")}


def test_the_prompt_cache_is_tested_on_time_to_the_first_token() -> None:
    (found,) = find_candidates([seen("llama-server")], only=("prompt-cache",))
    assert found.ablation.metric == "ttft_ms"
    assert found.cause.shares_prefix


def test_a_stack_that_is_gone_offers_nothing() -> None:
    assert find_candidates([seen("a-plug-in-that-was")]) == []


def test_only_some_causes() -> None:
    stacks = (seen("ollama", threads=2), seen("transformers"))
    assert pairs(*stacks, only=("gogc", "gc")).keys() == {"gogc", "gc"}
    with pytest.raises(UnknownNameError, match="cause 'gcc'") as raised:
        find_candidates(stacks, only=("gcc",))
    assert "Did you mean 'gc'" in raised.value.hint


def test_each_question_is_put_once_before_any_is_put_twice() -> None:
    found = find_candidates([seen("llama.cpp", threads=2), seen("ollama", threads=2)])
    keys = [each.ablation.key for each in found]
    assert keys.index("gogc") < len(keys) - 1 - keys[::-1].index("precision")
    assert [each.rank for each in found] == sorted(each.rank for each in found)


def test_every_row_says_what_it_asks_and_means() -> None:
    for cause in CAUSES:
        assert cause.question.endswith("?")
        assert cause.if_equal.endswith(".")
        assert cause.if_not.endswith(".")
        assert cause.key in causes()


def candidates(tunable: MockEngine, *only: str) -> list[Candidate]:
    return find_candidates([seen("mock-go", threads=2)], only=only)


def costs(*, load_s: float = 1.0, e2e_s: float = 2.0, once: float = 0.0) -> Costs:
    return Costs(
        work=Work(visits=2, requests=10),
        known={"mock-go": Figures(load_s=load_s, e2e_s=e2e_s)},
        once=lambda stack: once if "precision" in stack else 0.0,
    )


def keys_of(choice: Choice) -> list[str]:
    return [each.candidate.ablation.left for each in choice.taken]


def test_a_stack_that_several_need_is_measured_once(tunable: MockEngine) -> None:
    stack_s = 2 * (1.0 + AROUND_S) + 10 * 2.0
    choice = choose(candidates(tunable, "gogc"), costs(), budget_s=1000.0)
    assert [each.seconds for each in choice.taken] == [2 * stack_s, stack_s]
    assert choice.seconds == 3 * stack_s
    assert not choice.left_out


def test_the_most_telling_come_first_and_what_does_not_fit_is_told(tunable: MockEngine) -> None:
    everything = candidates(tunable)
    stack_s = 2 * (1.0 + AROUND_S) + 10 * 2.0
    choice = choose(everything, costs(), budget_s=2 * stack_s)
    assert keys_of(choice) == ["mock-go@precision=8bit"]
    assert len(choice.left_out) == len(everything) - 1
    gogc = next(each for each in choice.left_out if each.candidate.ablation.key == "gogc")
    assert gogc.seconds == stack_s, "what it is held against is measured anyway"


def test_one_that_is_too_long_does_not_keep_shorter_ones_out(tunable: MockEngine) -> None:
    choice = choose(candidates(tunable), costs(once=5000.0), budget_s=1000.0)
    assert "mock-go@precision=8bit" not in keys_of(choice)
    assert "mock-go@gogc=off" in keys_of(choice)
    (left_out,) = choice.left_out
    assert left_out.seconds > 5000.0


def test_nothing_fits_into_nothing(tunable: MockEngine) -> None:
    assert choose(candidates(tunable), costs(), budget_s=1.0).taken == ()


def test_what_is_changed_runs_beside_what_it_is_held_against(tunable: MockEngine) -> None:
    assert stacks_of(candidates(tunable, "gogc")) == (
        "mock-go",
        "mock-go@gogc=25",
        "mock-go@gogc=off",
    )
