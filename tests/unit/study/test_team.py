"""Team files: what they say, and what is wrong in them."""

from pathlib import Path

import pytest

from python_runner.common.errors import StudyError, UnknownNameError
from python_runner.engines.contract import Language
from python_runner.study import Team, load_team, parse_team, team_names, team_toml
from python_runner.study.team import STACK_LANGUAGES

CRITERIA = ("people", "e2e")
PEOPLE = '[[people]]\nnumber = 2\non_call = 1\nlanguages = { Python = "writes" }\n'


def parse(text: str) -> Team:
    return parse_team(text, place="team.toml", criteria=CRITERIA)


def wrong(text: str) -> str:
    with pytest.raises(StudyError) as caught:
        parse(text)
    assert caught.value.hint
    return caught.value.message


def test_people_who_know_a_language_well_enough_are_counted() -> None:
    team = parse(PEOPLE + '[[people]]\nnumber = 3\nlanguages = { Python = "reads", Go = "expert" }')
    assert (team.number, team.on_call) == (5, 1)
    assert (team.able("Python"), team.able("Python", on_call=True)) == (2, 1)
    assert (team.able("Go"), team.able("Rust")) == (3, 0)


def test_languages_may_be_written_as_people_write_them() -> None:
    team = parse('[[people]]\nlanguages = { python = "reads", cpp = "writes", golang = "reads" }')
    assert set(team.people[0].languages) == {"Python", "C++", "Go"}


def test_a_misspelt_language_is_told_with_the_right_one() -> None:
    assert "Did you mean 'Python'?" in wrong('[[people]]\nlanguages = { Pyhton = "reads" }')


def test_a_language_of_no_stack_is_allowed() -> None:
    team = parse('[[people]]\nlanguages = { Java = "expert" }')
    assert team.able("Java") == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "people: is missing"),
        ("people = []", "people"),
        (PEOPLE + "[serves]\nuser = 3", "Did you mean 'users'?"),
        (PEOPLE + "[serves]\nusers = 0", "serves.users"),
        (PEOPLE + '[operations]\nlevel = "guru"', "operations.level"),
        ("[[people]]\nnumber = 1\non_call = 2", "2 of 1 people cannot be"),
        (PEOPLE + "[weights]\npeople = 0\ne2e = 0", "weights: all are zero"),
        (PEOPLE + "[weights]\npeople = -1", "weights"),
        (PEOPLE + "[weights]\npeopel = 1", "Did you mean 'people'?"),
        (PEOPLE + '[constraints]\nlanguages = ["Rust"]', "nobody knows Rust at the level 'writes'"),
        ("name = 'a b'\n" + PEOPLE, "name"),
        ("people = [", "is not valid TOML"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, told: str) -> None:
    assert told in wrong(text)


def test_an_unknown_team_is_told_with_those_there_are() -> None:
    with pytest.raises(UnknownNameError) as caught:
        load_team("nobody", criteria=CRITERIA)
    assert "platform" in caught.value.hint


def test_the_examples_can_be_read() -> None:
    from python_runner.analyse.decision import CRITERIA_KEYS

    names = team_names()
    assert len(names) >= 2
    for name in names:
        assert load_team(name, criteria=CRITERIA_KEYS).name == name


def test_a_team_is_written_as_it_is_read(tmp_path: Path) -> None:
    from python_runner.analyse.decision import CRITERIA_KEYS

    for name in team_names():
        team = load_team(name, criteria=CRITERIA_KEYS)
        path = tmp_path / f"{name}.toml"
        path.write_text(team_toml(team), encoding="utf-8")
        assert load_team(str(path), criteria=CRITERIA_KEYS) == team
    odd = parse(
        'title = "A \\"title\\" \\\\ ä"\n[[people]]\nrole = "x\\ny"\n'
        'languages = { "C++" = "reads", "Ж" = "reads" }\n'
        "[weights]\npeople = 0.25\n[constraints]\nmemory_gb = 1.5"
    )
    assert parse(team_toml(odd)) == odd


def test_the_languages_are_those_of_the_stacks() -> None:
    assert set(STACK_LANGUAGES) == {each.value for each in Language if each is not Language.NONE}
