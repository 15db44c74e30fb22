"""The `[load]` table: what it takes, and that every mistake in it is named."""

from pathlib import Path

import pytest

from python_runner.common.errors import StudyError, UsageError
from python_runner.study import Load, Overrides, load_study, parse_duration, parse_slo

HEAD = 'name = "x"\ntitle = "t"\nmodel = "m"\nstacks = ["a"]\n'


def load_in(tmp_path: Path, table: str, **overrides: object) -> Load:
    path = tmp_path / "mine.toml"
    path.write_text(f"{HEAD}[load]\n{table}\n")
    load = load_study(str(path), Overrides(load=overrides) if overrides else None).load
    assert load is not None
    return load


def test_a_closed_loop(tmp_path: Path) -> None:
    load = load_in(tmp_path, "users = [10, 50]\nrequests = 100\nslo = {ttft = '200ms', itl = '1s'}")
    assert load.users == (10, 50)
    assert load.slo_ms == {"ttft": 200.0, "itl": 1000.0}


def test_an_open_loop(tmp_path: Path) -> None:
    load = load_in(tmp_path, "rate = [2, 5.5]\nduration_s = 30\narrivals = 'constant'")
    assert (load.rate, load.duration_s, load.arrivals) == ((2.0, 5.5), 30.0, "constant")


def test_one_level_needs_no_brackets(tmp_path: Path) -> None:
    assert load_in(tmp_path, "users = 7\nrequests = 9").users == (7,)


def test_a_study_without_a_load_has_none() -> None:
    assert load_study("languages").load is None


def test_the_command_line_goes_before_the_file(tmp_path: Path) -> None:
    load = load_in(tmp_path, "users = 7\nrequests = 9", users=None, rate=(2.0,), requests=3)
    assert (load.users, load.rate, load.requests) == ((), (2.0,), 3)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("requests = 9", "either `users`"),
        ("users = 1\nrate = 2.0\nrequests = 9", "either `users`"),
        ("users = 1", "`requests`, `duration_s`"),
        ("users = 0\nrequests = 9", r"load\.users.* = 0: .*greater than 0"),
        ("users = [2, 2]\nrequests = 9", "twice"),
        ("users = [1.5]\nrequests = 9", r"load\.users.*1\.5: .*integer"),
        ("rate = 0\nrequests = 9", r"load\.rate.* = 0: .*greater than 0"),
        ("rate = -1.0\nrequests = 9", r"load\.rate.*greater than 0"),
        ("rate = inf\nrequests = 9", r"load\.rate.*finite"),
        ("users = 1\nrequests = 9\nwarmup = 9", "leave none"),
        ("users = 1\nduration_s = 0", r"load\.duration_s = 0"),
        ("users = 1\nrequests = 9\nramp = 3", r"load\.ramp: no such key; allowed: .*ramp_s"),
        ("users = 1\nrequests = 9\nslo = {ttft = '200'}", r"load\.slo\.ttft: '200' is no duration"),
        ("users = 1\nrequests = 9\nslo = {p99 = '200ms'}", r"load\.slo\.p99.*'ttft'"),
        ("users = 1\nrequests = 9\nslo = {ttft = 200}", r"load\.slo\.ttft = 200: .*string"),
        ("users = 1\nrequests = 9\narrivals = 'gamma'", r"load\.arrivals = 'gamma'"),
        ("users = 1\nrequests = 9\nprompts = {kind = 'text'}", "`text` is given if"),
        ("users = 1\nrequests = 9\nprompts = {file = 'x'}", "`file` is given if"),
        (
            "users = 1\nrequests = 9\nprompts = {kind='text', text='x', shared_prefix_tokens=4}",
            "shared prefix",
        ),
        ("users = 1\nrequests = 9\nprompts = {texts = 'x'}", r"load\.prompts\.texts: no such key"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, table: str, said: str) -> None:
    with pytest.raises(StudyError, match=said):
        load_in(tmp_path, table)


@pytest.mark.parametrize(
    ("text", "seconds"), [("200ms", 0.2), ("30s", 30.0), ("1.5 min", 90.0), ("2m", 120.0)]
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "30", "s", "-3s", "0s", "3 parsecs", "1e9s"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(UsageError, match="no duration"):
        parse_duration(text)


def test_targets() -> None:
    assert parse_slo("ttft=200ms, itl = 50ms") == {"ttft": "200ms", "itl": "50ms"}


@pytest.mark.parametrize("text", ["", "ttft", "ttft=", "speed=3s", "ttft=1s,ttft=2s", "ttft=fast"])
def test_what_is_no_target(text: str) -> None:
    with pytest.raises(UsageError, match=r"no target|no duration"):
        parse_slo(text)


def test_requests_of_each_user_where_they_are_more(tmp_path: Path) -> None:
    load = load_in(tmp_path, "users = [1, 100]\nrequests = 3\nrequests_per_user = 2")
    assert [load.requests_of(users) for users in load.users] == [3, 200]
    assert load_in(tmp_path, "users = 5\nrequests_per_user = 1").requests_of(5) == 5
    assert load_in(tmp_path, "users = 5\nduration_s = 1").requests_of(5) is None


def test_requests_of_each_user_are_of_a_closed_loop(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="requests_per_user"):
        load_in(tmp_path, "rate = 2\nrequests_per_user = 1\nduration_s = 1")
