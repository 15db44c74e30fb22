"""A study file is checked before anything starts, and every error names its key."""

from pathlib import Path

import pytest

from python_runner.common.errors import StudyError, UnknownNameError, UsageError
from python_runner.study import Overrides, Study, load_study, study_names

MINIMAL = 'name = "x"\ntitle = "t"\nmodel = "m"\nstacks = ["a"]\n'


def study_in(tmp_path: Path, text: str) -> str:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("name", study_names())
def test_studies_that_ship_are_valid(name: str) -> None:
    assert load_study(name).name == name


def test_the_default_study_is_study_one() -> None:
    study = load_study("languages")
    assert (study.iterations, study.warmup, study.workload.new_tokens) == (10, 2, 32)
    assert study.precision == "bf16"
    assert len(study.stacks) == 4


def test_what_is_left_out_has_a_default(tmp_path: Path) -> None:
    study = load_study(study_in(tmp_path, MINIMAL))
    assert study == Study(name="x", title="t", model="m", stacks=("a",))


def test_models_may_be_named_in_order_of_preference(tmp_path: Path) -> None:
    several = MINIMAL.replace('"m"', '["first", "second"]')
    assert load_study(study_in(tmp_path, several)).model == ("first", "second")
    assert load_study("languages", Overrides(model="mine")).model == ("mine",)


def test_overrides_reach_study_and_workload() -> None:
    study = load_study("languages", Overrides(iterations=3, new_tokens=7, stacks=("a", "b")))
    assert study.iterations == 3
    assert study.workload.new_tokens == 7
    assert study.stacks == ("a", "b")
    assert study.workload.prompt_tokens == load_study("languages").workload.prompt_tokens


@pytest.mark.parametrize(
    ("overrides", "key"),
    [
        (Overrides(model=""), "model"),
        (Overrides(iterations=0), "iterations"),
        (Overrides(iterations=-3), "iterations"),
        (Overrides(warmup=-1), "warmup"),
        (Overrides(threads=0), "threads"),
        (Overrides(new_tokens=0), "new_tokens"),
        (Overrides(prompt_tokens=-5), "prompt_tokens"),
        (Overrides(precision="fp7"), "precision"),
        (Overrides(device="abacus"), "device"),
        (Overrides(stacks=()), "stacks"),
        (Overrides(stacks=("a", "a")), "stacks"),
        (Overrides(new_tokens=10_000), "context"),
    ],
)
def test_a_bad_value_is_named(overrides: Overrides, key: str) -> None:
    with pytest.raises(StudyError, match=key):
        load_study("languages", overrides)


def test_an_unknown_key_is_named_with_what_is_allowed(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"(?s)iteration: no such key; allowed: .*iterations"):
        load_study(study_in(tmp_path, MINIMAL + "iteration = 3\n"))


def test_an_unknown_key_of_the_workload_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        StudyError, match=r"workload\.new_token: no such key; allowed: .*new_tokens"
    ):
        load_study(study_in(tmp_path, MINIMAL + "[workload]\nnew_token = 3\n"))


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="model: is missing"):
        load_study(study_in(tmp_path, 'name = "x"\ntitle = "t"\nstacks = ["a"]\n'))


def test_a_file_that_is_no_toml(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="not valid TOML"):
        load_study(study_in(tmp_path, "name = "))


def test_an_unknown_study_gets_a_suggestion() -> None:
    with pytest.raises(UnknownNameError) as caught:
        load_study("langages")
    assert "Did you mean 'languages'?" in caught.value.hint


def test_a_path_that_leads_nowhere_is_no_unknown_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no file .*mine\.toml") as caught:
        load_study(str(tmp_path / "mine.toml"))
    assert not isinstance(caught.value, UnknownNameError)
    with pytest.raises(UnknownNameError) as named:
        load_study("languages.toml")
    assert "Did you mean 'languages'?" in named.value.hint
