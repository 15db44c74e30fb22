"""`polystack claims` on stored runs of mocks."""

import json
from pathlib import Path

import pytest
from matplotlib.image import imread

from tests.unit.cli.conftest import Outcome, Polystack

STACKS = "".join(
    f'[stacks.{name}]\ntitle = "{name}"\nengines = ["mock-{name}"]\n' for name in ("cpp", "go")
)
CLAIMS = f"""
title = "Two mocks"
source = "a test"
{STACKS}
[stacks.rust]
title = "rust"
engines = ["mock-crab"]
stand_ins = ["mock-rust"]

[[claims]]
id = "order"
says = "Mock Go is lower than mock C++."
tests = [{{kind = "lower", left = "go", right = "cpp"}}]

[[claims]]
id = "contrary"
says = "Mock C++ is lower than mock Go, and close to mock Rust."
reading = "Close: within 50 %."
tests = [
    {{says = "lower than mock Go", kind = "lower", left = "cpp", right = "go"}},
    {{says = "close to mock Rust", kind = "close", left = "cpp", right = "rust", within = 0.5}},
]

[[claims]]
id = "gc"
says = "Go's collector is why."
[[claims.tests]]
kind = "cause"
left = "go"
right = ["cpp"]
with_cause = "mock-go"
without = "mock-go@threads=1"
"""


@pytest.fixture
def claims(tmp_path: Path) -> str:
    path = tmp_path / "mocks.claims.toml"
    path.write_text(CLAIMS)
    return str(path)


@pytest.fixture
def twice(compared: Outcome, polystack: Polystack) -> Outcome:
    """A second run beside the first: fewer stacks."""
    return polystack("compare", "demo", "--stacks", "mock-cpp,mock-go", "--iterations", "7")


def test_one_run_with_its_grounds(compared: Outcome, polystack: Polystack, claims: str) -> None:
    outcome = polystack("claims", "1", "--claims", claims)
    assert outcome.code == 0, outcome.err
    words = " ".join(outcome.out.split())
    assert "Two mocks" in words
    assert "Claims order and contrary exclude each other" in words
    assert "Tiny model: dominated by per-token overhead" in words
    assert "mock Rust in place of rust" in words
    assert "needs its ablation" in words
    assert "mock-go@threads=1" in words
    assert "polystack compare demo --stacks" in words
    assert "--iterations 4" in words


def test_several_runs_side_by_side(twice: Outcome, polystack: Polystack, claims: str) -> None:
    outcome = polystack("claims", "1", "2", "--claims", claims)
    assert outcome.code == 0, outcome.err
    assert "demo, run 1" in outcome.out
    assert "demo, run 2" in outcome.out


def test_markdown_is_a_table_for_a_readme(
    twice: Outcome, polystack: Polystack, claims: str
) -> None:
    lines = polystack("claims", "1", "2", "--claims", claims, "--markdown").out.splitlines()
    assert lines[0] == "| claim | demo, run 1 | demo, run 2 |"
    assert all(line.count("|") == 4 for line in lines[:7])
    assert any("says nothing about languages" in line for line in lines)


def test_json_says_everything(compared: Outcome, polystack: Polystack, claims: str) -> None:
    document = json.loads(polystack("claims", "--claims", claims, "--json").out)
    (run,) = document["runs"]
    assert set(run["verdicts"]) == {"order", "contrary", "gc"}
    assert run["conditions"]["precision"] == "bf16"
    assert run["missing"] == ["mock-go@threads=1"]
    assert [part["part"] for part in run["parts"]] == [1, 1, 2, 1]
    assert document["exclusions"][0][:2] == ["order", "contrary"]


def test_the_picture(twice: Outcome, polystack: Polystack, claims: str, tmp_path: Path) -> None:
    target = tmp_path / "pictures" / "claims.png"
    outcome = polystack("claims", "1", "2", "--claims", claims, "--picture", str(target))
    assert outcome.code == 0, outcome.err
    assert str(target) in outcome.out
    assert imread(target).shape[1] == 1800
    assert target.with_suffix(".svg").exists()


def test_a_study_with_claims_says_how_to_see_them(polystack: Polystack) -> None:
    outcome = polystack(
        *("compare", "languages", "--model", "gemma-2-tiny", "--stacks", "mock-cpp,mock-go"),
        *("--iterations", "1", "--warmup", "0"),
    )
    assert outcome.code == 0, outcome.err
    assert "What it says about 5 claims: polystack claims 1" in outcome.out
    judged = polystack("claims", "1")
    assert judged.code == 0, judged.err
    assert "was not run" in judged.out


def test_a_study_that_names_no_claims(compared: Outcome, polystack: Polystack) -> None:
    outcome = polystack("claims", "1")
    assert outcome.code == 2
    assert "without claims" in outcome.err
    assert "--claims" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("1", "--claims", "langages"), "Did you mean 'languages'?"),
        (("17", "--claims", "languages"), "unknown run '17'"),
        (("1", "--claims", "languages", "--path", "by-air"), "embedded or served"),
        (("1", "--claims", "languages", "--json", "--markdown"), "Choose one"),
    ],
)
def test_a_users_mistake_is_told(
    compared: Outcome, polystack: Polystack, arguments: tuple[str, ...], said: str
) -> None:
    outcome = polystack("claims", *arguments)
    assert outcome.code == 2
    assert said in outcome.err


def test_a_wrong_key_in_a_claim_file(
    compared: Outcome, polystack: Polystack, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.claims.toml"
    wrong.write_text(CLAIMS.replace("within", "wihtin"))
    outcome = polystack("claims", "1", "--claims", str(wrong))
    assert outcome.code == 2
    assert "claims.#2.tests.#2.wihtin: no such key" in outcome.err.replace("\n", "")
    assert "'within'" in outcome.err


def test_claims_that_are_not_there_stop_a_study_before_it_starts(
    polystack: Polystack, results: Path, tmp_path: Path
) -> None:
    study = tmp_path / "mine.toml"
    study.write_text(
        'name = "x"\ntitle = "t"\nmodel = "gemma-2-tiny"\nstacks = ["mock-go"]\nclaims = "no"\n'
    )
    outcome = polystack("compare", str(study))
    assert outcome.code == 2
    assert "unknown claims 'no'" in outcome.err
    assert not results.exists()
