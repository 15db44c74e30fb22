"""Which scale is taken, and what cannot be tried, before anything is started."""

from dataclasses import replace
from pathlib import Path

import pytest

from python_runner.common.errors import SetupError, StudyError, UnknownNameError
from python_runner.engines.served.at_once import Batching
from python_runner.engines.table import engine
from python_runner.models import find_source
from python_runner.run.published import Wish, choose, plan
from python_runner.run.published.duration import measuring_s
from python_runner.study import Published, load_published, load_study


@pytest.fixture
def users() -> Published:
    return load_published("users")


def test_the_largest_that_fits_is_taken(users: Published) -> None:
    tiny, small = (plan(users, scale, Wish()) for scale in ("tiny", "small"))
    assert tiny.seconds < small.seconds
    found, reasons = choose(users, Wish(), budget_s=(tiny.seconds + small.seconds) / 2)
    assert found.scale == "tiny"
    assert set(reasons) == {"small", "full"}
    assert "min" in reasons["small"]


def test_the_smallest_is_taken_where_none_fits(users: Published) -> None:
    found, reasons = choose(users, Wish(), budget_s=1.0)
    assert found.scale == "tiny"
    assert "tiny" in reasons


def test_memory_decides_too(users: Published, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "python_runner.run.published.planning.available_memory", lambda: 2_000_000_000
    )
    found, reasons = choose(users, Wish(), budget_s=1e9)
    assert found.scale == "small"
    assert "GB of memory" in reasons["full"]


def test_every_run_has_the_mark_of_its_series(tmp_path: Path) -> None:
    text = (
        'name = "m"\ntitle = "M"\nstudy = "languages"\ntable = "languages"\n'
        '[scales.tiny]\nsmaller = "all."\nmodels = ["gemma-2-tiny"]\n'
        'precisions = ["bf16", "8bit"]\nprompt_tokens = 36\nnew_tokens = 24\n'
        '[original]\nsource = "s"\nhardware = "h"\nmodels = ["m"]\nworkload = "w"\n'
        'columns = [{key = "stack", title = "Stack"}]\n'
    )
    path = tmp_path / "m.toml"
    path.write_text(text)
    found = plan(load_published(str(path)), "tiny", Wish(stacks=("mock-cpp",)))
    assert [study.precision for study in found.studies] == ["bf16", "8bit"]
    marks = [study.published for study in found.studies]
    assert len({mark.series for mark in marks if mark}) == 1
    assert [(mark.part, mark.parts) for mark in marks if mark] == [(1, 2), (2, 2)]


def test_a_stack_that_this_version_lacks_is_no_error(users: Published) -> None:
    found = plan(users.model_copy(update={"also": ("no-such-server",)}), "tiny", Wish())
    assert found.studies[0].stacks[0] == "llama-server"
    assert found.left_out["no-such-server"] == "this version has no such engine"


def test_platforms_of_the_original_that_are_not_asked_for_say_why(users: Published) -> None:
    platforms = {"A": ("llamafile", "x"), "B": ("llama-server",), "C": ("y",), "D": ()}
    original = users.original.model_copy(update={"platforms": platforms, "rows": ()})
    found = plan(users.model_copy(update={"original": original, "also": ()}), "tiny", Wish())
    assert found.left_out == {
        "llamafile": "not in this study; to try it: --stacks llamafile",
        "y": "this version has no such engine",
    }
    assert plan(users, "tiny", Wish(stacks=("ollama",))).left_out == {}


def test_a_name_that_the_user_typed_is_a_mistake(users: Published) -> None:
    with pytest.raises(UnknownNameError, match="olama"):
        plan(users, "tiny", Wish(stacks=("olama",)))


def test_stacks_that_cannot_be_tried_are_told_with_the_reason(users: Published) -> None:
    found = plan(users, "tiny", Wish(stacks=("llama-server", "llama.cpp")))
    assert "one request at a time" in found.left_out["llama.cpp"]
    with pytest.raises(SetupError, match="one request at a time"):
        plan(users, "tiny", Wish(stacks=("llama.cpp",)))


def test_a_scale_that_it_does_not_have(users: Published) -> None:
    lean = users.model_copy(update={"scales": {"tiny": users.scales["tiny"]}})
    with pytest.raises(StudyError, match="no scale 'full'"):
        plan(lean, "full", Wish())


def test_an_engine_that_takes_turns_needs_longer() -> None:
    study = load_study("long-sequences")
    source = find_source("gemma-2-2b-synthetic")
    server = engine("llama-server")

    class Takes:
        spec = replace(server.spec, batching=Batching.ONE_BY_ONE)

    assert measuring_s(study, source, {"a": Takes()}, cores=2) > 2 * measuring_s(  # type: ignore[dict-item]
        study, source, {"a": server}, cores=2
    )
    assert measuring_s(study, source, {"a": server}, cores=16) < measuring_s(
        study, source, {"a": server}, cores=2
    )
