"""Published studies as data: those that ship are whole, and every mistake in one is named."""

from pathlib import Path

import pytest

from python_runner.common.errors import StudyError, UnknownNameError
from python_runner.study import Overrides, load_published, load_study, mark_of, published_names
from python_runner.study.published import SCALES, Published

WHOLE = """
name = "mine"
title = "Mine"
study = "users"
table = "users"
[scales.tiny]
smaller = "everything."
models = ["gemma-2-tiny", ["a", "b"]]
precisions = ["bf16", "8bit"]
[original]
source = "somebody"
hardware = "A100"
models = ["Llama"]
workload = "work"
platforms = {"vLLM" = ["vllm"]}
columns = [{key = "stack", title = "Backend"}, {key = "tgr", title = "TGR", unit = "tokens/s"}]
rows = [{stack = "vLLM", tgr = 5}]
"""


def written(folder: Path, text: str) -> Published:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return load_published(str(path))


@pytest.mark.parametrize("name", published_names())
def test_each_that_ships_can_be_run_at_each_of_its_scales(name: str) -> None:
    published = load_published(name)
    assert published.scale_names == SCALES
    for scale in published.scale_names:
        for part in published.parts(scale):
            found = published.scales[scale]
            study = load_study(
                published.study,
                Overrides(
                    model=part.models or None,
                    precision=part.precision,
                    prompt_tokens=found.prompt_tokens,
                    new_tokens=found.new_tokens,
                    context=found.context,
                    load=found.load or None,
                    published={"name": name, "scale": scale},
                ),
            )
            assert study.published is not None
            assert mark_of(study.model_dump(mode="json")) == study.published


@pytest.mark.parametrize("scale", SCALES)
def test_users_are_never_fewer_than_1_10_and_50(scale: str) -> None:
    users = load_published("users").scales[scale].users  # type: ignore[index]
    assert users is not None
    assert set(users) >= {1, 10, 50}
    assert scale != "full" or set(users) >= {10, 50, 100}


@pytest.mark.parametrize("scale", SCALES)
def test_long_sequences_have_as_many_new_tokens_as_prompt_tokens(scale: str) -> None:
    found = load_published("long-sequences").scales[scale]  # type: ignore[index]
    assert found.prompt_tokens == found.new_tokens
    assert found.users is not None
    assert found.users[0] == 1
    assert found.users[-1] >= 50


def test_a_run_for_each_model_and_precision(tmp_path: Path) -> None:
    parts = written(tmp_path, WHOLE).parts("tiny")
    assert [(part.models, part.precision) for part in parts] == [
        (("gemma-2-tiny",), "bf16"),
        (("gemma-2-tiny",), "8bit"),
        (("a", "b"), "bf16"),
        (("a", "b"), "8bit"),
    ]


@pytest.mark.parametrize(
    ("line", "instead", "said"),
    [
        ('table = "users"', 'table = "user"', "table"),
        ('smaller = "everything."', "", "scales.tiny.smaller: is missing"),
        ("models = [", "uzers = 1\nmodels = [", "uzers: no such key"),
        ("[scales.tiny]", "[scales.huge]", "scales"),
        ("tgr = 5", "tps = 5", "tps is no column"),
        ('{stack = "vLLM", tgr = 5}', '{stack = "vLM", tgr = 5}', "original.platforms"),
        ('key = "stack"', 'key = "engine"', "none has the key 'stack'"),
        ('{key = "tgr", ', '{key = "stack", ', "stack stands there twice"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, line: str, instead: str, said: str) -> None:
    assert line in WHOLE
    with pytest.raises(StudyError, match=r"mine\.toml") as raised:
        written(tmp_path, WHOLE.replace(line, instead, 1))
    assert said in raised.value.message


def test_an_unknown_one_is_told_with_those_that_are_there() -> None:
    with pytest.raises(UnknownNameError, match="published study 'user'") as raised:
        load_published("user")
    assert "Did you mean 'users'?" in raised.value.hint


def test_a_study_without_a_mark_belongs_to_none() -> None:
    assert mark_of(load_study("languages").model_dump(mode="json")) is None
