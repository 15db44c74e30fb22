"""Variants and ablations in a study file, and prompts that begin alike."""

from pathlib import Path

import pytest

from python_runner.common.errors import StudyError, UsageError
from python_runner.study import load_study
from tests.unit.study.test_read import MINIMAL, study_in

STACKS = MINIMAL.replace('["a"]', '["a", "a@y=2+x=1"]')
ABLATION = """
[[ablations]]
key = "x"
question = "Is it x?"
change = "Turning x in a"
left = "a@x=1+y=2"
right = "a"
"""


def test_a_variant_has_one_name_however_it_is_written(tmp_path: Path) -> None:
    study = load_study(study_in(tmp_path, STACKS + ABLATION))
    assert study.stacks == ("a", "a@x=1+y=2")
    assert [(each.left, each.right) for each in study.ablations] == [("a@x=1+y=2", "a")]
    assert study.ablations[0].metric == "e2e_ms"
    assert study.explains is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MINIMAL + ABLATION, "ablations.0: a@x=1+y=2 and a must be two of the stacks"),
        (STACKS + ABLATION.replace("a@x=1+y=2", "a"), "must be two of the stacks"),
        (STACKS + ABLATION + 'metric = "speed"\n', "ablations.#1.metric"),
        (STACKS + ABLATION + "why = 1\n", "ablations.#1.why: no such key"),
        (STACKS + "explains = 0\n", "explains = 0"),
        (STACKS.replace("a@y=2+x=1", "a@x=1+x=2"), "sets x twice"),
        (STACKS.replace("a@y=2+x=1", "a@"), "cannot be read"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        load_study(study_in(tmp_path, text))
    assert said in raised.value.message


def test_a_load_has_its_own_key_for_prompts_that_begin_alike(tmp_path: Path) -> None:
    text = MINIMAL + "[load]\nusers = [1]\nrequests = 5\n[workload]\nshared_prefix_tokens = 8\n"
    with pytest.raises(StudyError, match=r"load\.prompts\.shared_prefix_tokens"):
        load_study(study_in(tmp_path, text))
