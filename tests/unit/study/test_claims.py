"""A claim file is checked as a study is, and what contradicts itself is found."""

import math
from pathlib import Path

import pytest

from python_runner.common.errors import StudyError, UnknownNameError
from python_runner.study import claims_names, load_claims, load_study, study_names

OTHERS = Path(__file__).parents[2] / "data" / "other-studies.claims.toml"
STACKS = "".join(
    f'[stacks.{name}]\ntitle = "{name}"\nengines = ["{name}"]\n' for name in ("a", "b", "c")
)
HEAD = f'title = "t"\nsource = "s"\n{STACKS}'


def claim(tests: str, *, name: str = "1", more: str = "") -> str:
    return f'[[claims]]\nid = "{name}"\nsays = "x"\n{more}\ntests = [{tests}]\n'


def written(tmp_path: Path, text: str) -> str:
    path = tmp_path / "mine.claims.toml"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("name", claims_names())
def test_claims_that_ship_are_valid(name: str) -> None:
    assert load_claims(name).claims


def test_a_claim_file_is_no_study() -> None:
    assert "languages.claims" not in study_names()
    assert load_study("languages").claims == "languages"


def test_study_one_makes_five_claims() -> None:
    claims = load_claims("languages")
    assert [one.id for one in claims.claims] == ["1", "2", "3", "4", "5"]
    assert claims.exclusions == ()
    assert "llama-server" in claims.stacks["llamafile"].stand_ins


def test_the_other_studies_fit_and_their_contradiction_is_found() -> None:
    claims = load_claims(str(OTHERS))
    assert [(first, second) for first, second, _ in claims.exclusions] == [("2-2", "2-3")]
    assert "LMDeploy" in claims.exclusions[0][2]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD + claim('{kind = "lower", lef = "a", right = "b"}'), r"lef: no such key.*'left'"),
        (HEAD + claim('{kind = "lowr", left = "a", right = "b"}'), r"kind = 'lowr'.*'lower'"),
        (HEAD + claim('{left = "a", right = "b"}'), r"tests\.#1\.kind: is missing"),
        (HEAD + claim('{kind = "lower", left = "a"}'), r"tests\.#1\.right: is missing"),
        (HEAD + claim('{kind = "lower", left = "a", right = "d"}'), "no such stack: 'd'"),
        (HEAD + claim('{kind = "close", left = "a", right = "b", within = -1}'), "within = -1"),
        (
            HEAD + claim('{kind = "lower", left = "a", right = "b", metric = "speed"}'),
            r"metric = 'speed'.*ttft",
        ),
        (
            HEAD + claim('{kind = "lower", left="a", right="b", at_least=0.5, at_most=0.1}'),
            "at_least: 0.5 is not below",
        ),
        (HEAD + claim('{kind = "lowest", left = "a", of = ["a", "b"]}'), "of: a is the left one"),
        (HEAD + claim('{kind = "bound", left = "a"}'), "at_least: give it, or at_most"),
        (HEAD + claim('{kind = "cause", left = "a", right = ["b"]}'), "no_ablation"),
        (
            HEAD + claim('{kind = "cause", left = "a", right = ["b"], without = "a@x=1"}'),
            "with_cause",
        ),
        (
            HEAD + claim('{kind="rises", left="a", from_users=9, users=3, at_least=1}'),
            "from_users: 9 is not below",
        ),
        (
            HEAD
            + claim('{kind = "close", left = "a", right = "b", within = 1}', more="exclude=[]"),
            r"claims\.#1\.exclude: no such key.*'excludes'",
        ),
        (
            HEAD + 2 * claim('{kind = "untestable", why = "so"}'),
            "the id 1 stands there twice",
        ),
        (
            HEAD + claim('{kind = "untestable", why = "so"}', more='excludes = ["2"]'),
            "no such claim: '2'",
        ),
        (HEAD.replace("engines", "engine"), r"stacks\.a\.engine: no such key.*'engines'"),
        (HEAD, "claims: is missing"),
        ("title", "not valid TOML"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(StudyError, match=f"(?s){said}"):
        load_claims(written(tmp_path, text))


def test_unknown_claims_are_named() -> None:
    with pytest.raises(UnknownNameError, match="languges") as raised:
        load_claims("languges")
    assert "'languages'" in raised.value.hint


def test_a_file_of_claims_is_named_as_seen_from_its_study(tmp_path: Path) -> None:
    study = tmp_path / "mine.toml"
    study.write_text(
        'name = "x"\ntitle = "t"\nmodel = "m"\nstacks = ["a"]\nclaims = "mine.claims.toml"\n'
    )
    assert load_study(str(study)).claims == str(tmp_path / "mine.claims.toml")


@pytest.mark.parametrize(
    ("first", "second", "excludes"),
    [
        ('{kind="lower", left="a", right="b"}', '{kind="higher", left="a", right="b"}', True),
        ('{kind="lower", left="a", right="b"}', '{kind="lower", left="b", right="a"}', True),
        ('{kind="lowest", left="a", of=["b"]}', '{kind="lowest", left="b", of=["a"]}', True),
        ('{kind="lowest", left="a", of=["b"]}', '{kind="lowest", left="b", of=["c"]}', False),
        (
            '{kind="lower", left="a", right="b", at_least=0.5}',
            '{kind="close", left="b", right="a", within=0.1}',
            True,
        ),
        (
            '{kind="lower", left="a", right="b"}',
            '{kind="close", left="b", right="a", within=0.1}',
            False,
        ),
        (
            '{kind="lowest", left="a", of=["b"], within=0.1}',
            '{kind="lowest", left="b", of=["a"], within=0.1}',
            False,
        ),
        (
            '{kind="lower", left="a", right="b", users=10}',
            '{kind="higher", left="a", right="b", users=100}',
            False,
        ),
        (
            '{kind="lower", left="a", right="b", metric="ttft"}',
            '{kind="higher", left="a", right="b"}',
            False,
        ),
        (
            '{kind="order", stacks=["a", "b", "c"]}',
            '{kind="in-iterations", left="c", right="b", share=0.9}',
            True,
        ),
        (
            '{kind="cause", left="a", right=["b"], no_ablation="so"}',
            '{kind="lower", left="a", right="b"}',
            True,
        ),
    ],
)
def test_what_cannot_both_be_true(tmp_path: Path, first: str, second: str, excludes: bool) -> None:
    text = HEAD + claim(first) + claim(second, name="2")
    assert bool(load_claims(written(tmp_path, text)).exclusions) == excludes


def test_claims_about_other_models_do_not_exclude_each_other(tmp_path: Path) -> None:
    lower, higher = (f'{{kind="{kind}", left="a", right="b"}}' for kind in ("lower", "higher"))
    text = HEAD + claim(lower, more='scope = {models = ["8B"]}')
    text += claim(higher, name="2", more='scope = {models = ["70B"]}')
    assert load_claims(written(tmp_path, text)).exclusions == ()


def test_declared_exclusions_count(tmp_path: Path) -> None:
    text = HEAD + claim('{kind = "untestable", why = "so"}', more='excludes = ["2"]')
    text += claim('{kind = "untestable", why = "so"}', name="2")
    assert [one[:2] for one in load_claims(written(tmp_path, text)).exclusions] == [("1", "2")]


def test_higher_and_lower_say_the_same_of_swapped_sides(tmp_path: Path) -> None:
    text = HEAD + claim('{kind="higher", left="a", right="b", at_least=0.5, at_most=1.0}')
    (pair,) = load_claims(written(tmp_path, text)).claims[0].tests[0].ranges()
    assert (pair.low, pair.high) == pytest.approx((math.log(1.5), math.log(2)))
    assert pair.swapped().swapped() == pair
