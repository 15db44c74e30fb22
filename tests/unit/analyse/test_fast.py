from python_runner.analyse.fast import FAST_FACTOR, fast_stacks
from python_runner.analyse.summary import summarise
from tests.golden.frames import LLAMA_CPP, OLLAMA, TRANSFORMERS, build_frames, rename


def split(*stacks_e2e_s: float) -> tuple[list[str], list[str]]:
    stacks = [
        rename(LLAMA_CPP, name=f"s{number}", title=f"s{number}", e2e_s=seconds, noise=0.0)
        for number, seconds in enumerate(stacks_e2e_s)
    ]
    frames = build_frames(stacks)
    fast = fast_stacks(summarise(frames.samples, frames.conditions))
    return list(fast.shown["title"]), list(fast.left_out["title"])


def test_what_is_slower_than_the_factor_is_left_out() -> None:
    assert split(7.9, 8.3, 27.0, 7.1) == (["s3", "s0", "s1"], ["s2"])


def test_the_factor_itself_is_still_fast() -> None:
    assert split(1.0, FAST_FACTOR) == (["s0", "s1"], [])


def test_a_single_stack_is_fast() -> None:
    assert split(100.0) == (["s0"], [])


def test_stacks_without_a_result_are_in_neither_part() -> None:
    frames = build_frames(
        [TRANSFORMERS, rename(OLLAMA, error="boom", samples_kept=0)], iterations=3
    )
    fast = fast_stacks(summarise(frames.samples, frames.conditions))
    assert list(fast.shown["title"]) == ["transformers"]
    assert fast.left_out.empty
