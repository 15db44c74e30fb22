"""Nothing is timed before it is known to be the same work: the whole way, on mocks."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from python_runner.common.errors import UnfairError
from python_runner.common.progress import SilentProgress
from python_runner.engines import mock
from python_runner.engines.contract import WeightFormat
from python_runner.engines.mock import MockEngine, MockScript
from python_runner.run import building
from python_runner.run.compare import Comparison, compare
from python_runner.store import Store, read_frames
from tests.unit.builders import study
from tests.unit.cli.conftest import Polystack


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "polystack.sqlite") as opened:
        yield opened


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    says(monkeypatch, "CPP", {"weights in memory": "bf16", "KV cache": "bf16"})


def says(monkeypatch: pytest.MonkeyPatch, name: str, build: Mapping[str, str]) -> None:
    script = MockScript(build=build)
    monkeypatch.setattr(mock, name, MockEngine(getattr(mock, name).spec, script))


def run(store: Store, *stacks: str, **changes: object) -> Comparison:
    chosen = study(stacks=stacks or ("mock-cpp", "mock-go"), iterations=2, warmup=0, **changes)
    return compare(chosen, store, logs=store.path.parent, progress=SilentProgress())


@pytest.mark.parametrize(
    ("build", "key", "said"),
    [
        ({"threads": "4"}, "threads", r"threads: 2 \(mock-cpp\), 4 \(mock-go\)"),
        ({"weights in memory": "f32"}, "precision", r"16 bits \(mock-cpp\), 32 bits \(mock-go\)"),
    ],
)
def test_a_difference_stops_before_anything_is_kept_and_can_be_allowed(
    store: Store, monkeypatch: pytest.MonkeyPatch, build: Mapping[str, str], key: str, said: str
) -> None:
    says(monkeypatch, "GO", build)
    with pytest.raises(UnfairError, match=said):
        run(store, threads=2)
    assert store.run_ids() == []

    outcome = run(store, threads=2, allow_unfair=(key,))
    assert outcome.broken == {}
    frames = read_frames(store)
    assert list(frames.runs["allowed_unfair"]) == [[key]]
    assert len(frames.samples) == 4


def test_facts_are_kept_with_each_condition_and_allowed_only_where_they_differ(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    says(monkeypatch, "GO", {"weights in memory": "bf16", "KV cache": "f16"})
    run(store, allow_unfair=("threads",))
    frames = read_frames(store)
    facts = frames.conditions.set_index("stack")["facts"]
    assert facts["mock-cpp"]["kv-cache"] == "bf16"
    assert facts["mock-go"]["precision"] == "16 bits"
    assert facts["mock-go"]["prompt-tokens"] == "48"
    assert list(frames.runs["allowed_unfair"]) == [[]]


def test_what_is_known_from_the_table_of_engines_is_told_before_anything_starts(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    wide = WeightFormat(name="f32", bits=32, memory_per_weight_byte=2.0)
    monkeypatch.setitem(mock.GO.spec.formats, "bf16", wide)
    monkeypatch.setattr(MockEngine, "start", lambda *_: pytest.fail("an engine was started"))
    monkeypatch.setattr(MockEngine, "prepare", lambda *_: pytest.fail("an engine was built"))
    with pytest.raises(UnfairError, match=r"16 bits \(mock-cpp\), 32 bits \(mock-go\)"):
        run(store)


def test_a_prompt_that_is_read_as_more_tokens_is_another_work(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    doubled = MockEngine(mock.GO.spec, MockScript(extra_prompt_tokens=1))
    monkeypatch.setattr(mock, "GO", doubled)
    with pytest.raises(UnfairError, match=r"48 \(the model's tokenizer, mock-cpp\), 49 \(mock-go"):
        run(store)
    with pytest.raises(UnfairError, match="tokens of a prompt"):
        run(store, "mock-go")
    assert run(store, allow_unfair=("prompt-tokens",)).broken == {}
    assert set(read_frames(store).samples["error"]) == {""}


def test_in_a_published_study_who_reads_other_tokens_costs_the_others_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    doubled = MockEngine(mock.GO.spec, MockScript(extra_prompt_tokens=1))
    monkeypatch.setattr(mock, "GO", doubled)
    outcome = run(store, published={"name": "languages", "scale": "tiny"})
    assert outcome.broken.keys() == {"mock-go"}
    assert "48 (the model's tokenizer), 49 (mock-go)" in outcome.broken["mock-go"]
    assert list(read_frames(store).samples["stack"].unique()) == ["mock-cpp"]


def test_a_stack_that_does_not_start_is_a_row_and_is_not_tried_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mock, "GO", MockEngine(mock.GO.spec, MockScript(crash_at_start=True)))
    outcome = run(store)
    assert "never became ready" in outcome.broken["mock-go"]
    frames = read_frames(store)
    has_facts = frames.conditions.set_index("stack")["facts"].map(bool)
    assert dict(has_facts) == {"mock-cpp": True, "mock-go": False}
    assert len(frames.samples) == 2


def test_a_stack_that_is_built_late_is_looked_at_when_it_is_built(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    says(monkeypatch, "GO", {"threads": "4"})
    late = mock.GO
    monkeypatch.setattr(building, "_is_long", lambda candidate: candidate is late)
    outcome = run(store, threads=2)
    assert outcome.refused == {"mock-go"}
    assert "would not do the same work" in outcome.broken["mock-go"]
    frames = read_frames(store)
    assert list(frames.samples["stack"].unique()) == ["mock-cpp"]
    assert run(store, threads=2, allow_unfair=("threads",)).broken == {}
    assert read_frames(store, [2]).runs["allowed_unfair"].iloc[0] == ["threads"]


def test_a_template_that_all_prompts_share_is_no_business_of_engines_without_a_cache(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    says(monkeypatch, "CPP", {"prompt cache": "off"})
    says(monkeypatch, "GO", {"prompt cache": "on: it cannot be switched off"})
    chat = {"prompt_tokens": 48, "template": "chat"}
    assert run(store).broken == {}
    with pytest.raises(UnfairError, match="prompt cache"):
        run(store, workload=chat)


def test_as_shipped_each_stack_gets_its_own(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("python_runner.engines.as_shipped.logical_processors", lambda: 8)
    monkeypatch.setattr("python_runner.engines.as_shipped.physical_cores", lambda: 4)
    run(store, precision="shipped")
    conditions = read_frames(store).conditions
    assert list(conditions["threads"]) == [4, 4]
    assert list(conditions["context"]) == [512, 512]  # what the tiny model is made for
    run(store, precision="shipped", threads=1, context=128)
    conditions = read_frames(store, [2]).conditions
    assert list(conditions["threads"]) == [1, 1]
    assert list(conditions["context"]) == [128, 128]


def test_the_command_says_what_to_type_and_marks_what_comes_out(
    polystack: Polystack, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    says(monkeypatch, "GO", {"threads": "4"})
    stacks = ("--stacks", "mock-cpp,mock-go")
    usual = ("compare", "demo", *stacks, "--iterations", "2", "--threads", "2")
    refused = polystack(*usual)
    assert refused.code == 6
    assert "--allow-unfair threads" in refused.err

    mark = "Threads: 2 (mock C++), 4 (mock Go)"
    allowed = polystack(*usual, "--allow-unfair", "threads")
    assert allowed.code == 0, allowed.err
    assert mark in allowed.out
    picture = next((results / "run-0001").glob("*.svg")).read_text(encoding="utf-8")
    assert mark in picture
    shown = polystack("show", "1").out
    assert "Must be equal" in shown
    assert mark in shown
    assert "not known" in polystack("fairness", "1").out


def test_a_key_that_is_none_is_told(polystack: Polystack, results: Path) -> None:
    outcome = polystack("compare", "demo", "--stacks", "mock-cpp", "--allow-unfair", "thread")
    assert outcome.code == 2
    assert "Did you mean 'threads'?" in outcome.err
    assert not results.exists()
