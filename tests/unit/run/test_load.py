"""From a study with a load to its plan, and what is refused before anything starts."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Any

import pytest

from python_runner.common.errors import StudyError, UsageError
from python_runner.engines.contract import Dialect
from python_runner.engines.outside import Outside
from python_runner.measure.load.level import Arrivals
from python_runner.run.load import check_open_files, find_served
from python_runner.run.load_plan import Asked, levels_of, plan_of_outside
from python_runner.study import Load, Study
from tests.unit.builders import study

TINY = Path("models/gemma-2-tiny")
HERE = Outside(
    url="http://h/v1/completions",
    dialect=Dialect.OPENAI_COMPLETIONS,
    headers={"Authorization": "Bearer k"},
    secrets=("k",),
)


def loaded(**load: Any) -> Study:
    return study(stacks=("h",), load={"users": (2, 4), "requests": 10, **load})


def load_table(**load: Any) -> Load:
    found = loaded(**load).load
    assert found is not None
    return found


def test_levels_of_a_closed_loop() -> None:
    levels = levels_of(load_table(ramp_s=3.0, warmup=2))
    assert [(level.users, level.rate, level.requests) for level in levels] == [
        (2, None, 10),
        (4, None, 10),
    ]
    assert {(level.arrivals, level.ramp_s, level.warmup) for level in levels} == {
        (Arrivals.CLOSED, 3.0, 2)
    }


def test_levels_of_an_open_loop() -> None:
    levels = levels_of(load_table(users=(), rate=(2.0,), requests=None, duration_s=5.0))
    assert [(level.arrivals, level.rate, level.duration_s) for level in levels] == [
        (Arrivals.POISSON, 2.0, 5.0)
    ]


def test_prompts_of_exact_length_where_there_is_a_tokenizer() -> None:
    _, plan = plan_of_outside(loaded(), Asked(model="m", outside=HERE, tokenizer=TINY))
    assert {len(prompt.ids) for level in plan.prompts for prompt in level} == {48}


def test_no_two_levels_ask_the_same() -> None:
    _, plan = plan_of_outside(loaded(), Asked(model="m", outside=HERE, tokenizer=TINY))
    first, second = ({prompt.text for prompt in level} for level in plan.prompts)
    assert len(first) == len(second) == 10
    assert not first & second
    assert plan.first.text not in first | second


def test_words_where_there_is_no_tokenizer() -> None:
    _, plan = plan_of_outside(loaded(), Asked(model="m", outside=HERE))
    assert len(plan.first.text.split()) == 48
    assert "words" in plan.prompt_cache


def test_a_shared_prefix_needs_a_tokenizer() -> None:
    asking = loaded(prompts={"shared_prefix_tokens": 20})
    with pytest.raises(UsageError, match="tokenizer"):
        plan_of_outside(asking, Asked(model="m", outside=HERE))
    _, plan = plan_of_outside(asking, Asked(model="m", outside=HERE, tokenizer=TINY))
    assert "share their first 20 tokens" in plan.prompt_cache


def test_one_text_for_all() -> None:
    asking = loaded(prompts={"kind": "text", "text": "hello"})
    _, plan = plan_of_outside(asking, Asked(model="m", outside=HERE))
    assert [[prompt.text for prompt in level] for level in plan.prompts] == [["hello"]] * 2
    assert "caches help" in plan.prompt_cache


def test_texts_of_a_file_go_on_where_the_last_level_ended(tmp_path: Path) -> None:
    path = tmp_path / "p.txt"
    path.write_text("a\nb\nc\n")
    asking = loaded(prompts={"kind": "file", "file": str(path)})
    _, plan = plan_of_outside(asking, Asked(model="m", outside=HERE))
    assert plan.first.text == "a"
    assert all({prompt.text for prompt in level} >= {"b", "c"} for level in plan.prompts)


def test_a_folder_without_a_tokenizer(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--tokenizer") as raised:
        plan_of_outside(loaded(), Asked(model="m", outside=HERE, tokenizer=tmp_path))
    # The folder is the user's.
    assert "Remove" not in raised.value.hint


def test_a_template_of_the_models_is_not_ours_to_put_around() -> None:
    with pytest.raises(UsageError, match="chat template"):
        plan_of_outside(
            study(
                stacks=("h",),
                load={"users": (2,), "requests": 3},
                workload={"template": "chat"},
            ),
            Asked(model="m", outside=HERE),
        )


def test_the_key_goes_with_the_requests_and_is_not_shown() -> None:
    asked = Asked(model="m", outside=HERE)
    _, plan = plan_of_outside(loaded(), asked)
    assert plan.sending.headers == {"Authorization": "Bearer k"}
    assert plan.secrets == ("k",)
    assert "Bearer" not in repr(asked)
    assert "Bearer" not in repr(plan)


def test_a_study_without_a_load() -> None:
    with pytest.raises(StudyError, match=r"no table \[load\]"):
        plan_of_outside(study(), Asked(model="m", outside=HERE))


def test_an_embedded_engine_cannot_be_put_under_load() -> None:
    with pytest.raises(UsageError, match=r"llama\.cpp runs in process") as raised:
        find_served(study(stacks=("ollama", "llama.cpp"), load={"users": (2,), "requests": 3}))
    assert "llama-server" in raised.value.hint
    assert "transformers," not in raised.value.hint


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[int, int]]:
    """The limits of open files; what is set is kept under `set`."""
    found = {"now": (1024, 4096)}
    monkeypatch.setattr(resource, "getrlimit", lambda _which: found["now"])

    def set_limit(_which: int, pair: tuple[int, int]) -> None:
        found["set"] = pair

    monkeypatch.setattr(resource, "setrlimit", set_limit)
    return found


def test_few_users_need_no_more_files(limits: dict[str, tuple[int, int]]) -> None:
    assert not check_open_files(load_table(users=(100,)))
    assert "set" not in limits


def test_the_soft_limit_is_raised_where_it_may_be(limits: dict[str, tuple[int, int]]) -> None:
    said = check_open_files(load_table(users=(10, 1000)))
    assert limits["set"] == (2128, 4096)
    assert "2,128 open files now" in said
    assert "1,024" in said


@pytest.mark.parametrize(("hard", "raised"), [(4096, 4096), (resource.RLIM_INFINITY, 65_536)])
def test_an_open_loop_gets_what_there_may_be(
    limits: dict[str, tuple[int, int]], hard: int, raised: int
) -> None:
    limits["now"] = (1024, hard)
    rates = load_table(users=(), rate=(2.0,), requests=None, duration_s=5.0)
    assert f"{raised:,}" in check_open_files(rates)
    assert limits["set"] == (raised, hard)


def test_more_users_than_files_are_refused_with_the_limit(
    limits: dict[str, tuple[int, int]],
) -> None:
    with pytest.raises(UsageError, match=r"5000 users need 10128 open files.*4096") as raised:
        check_open_files(load_table(users=(5000,)))
    assert "ulimit -Hn 10128" in raised.value.hint
    assert "1984 users" in raised.value.hint


def test_no_limit_is_no_limit(limits: dict[str, tuple[int, int]]) -> None:
    limits["now"] = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    check_open_files(load_table(users=(5000,)))
    limits["now"] = (1024, resource.RLIM_INFINITY)
    check_open_files(load_table(users=(5000,)))
    assert limits["set"] == (10128, resource.RLIM_INFINITY)
