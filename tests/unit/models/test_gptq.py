"""Checkpoints of GPTQ: how often they are made, listed, removed; nothing is quantised here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from python_runner.common.errors import ModelError, SetupError
from python_runner.common.progress import Progress, SilentProgress
from python_runner.models import ModelCard, cards, gptq, prepare_model
from python_runner.models.derived import record_of
from python_runner.models.gptq_convert import _OPENINGS, group_for
from python_runner.models.inventory import forms, remove_form
from python_runner.models.sizes import still_to_write
from python_runner.models.source import listed_source

PACKAGES = Path("/somewhere/packages")


@pytest.fixture
def runs(cache: Path, small_card: ModelCard, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Where Python was told to look, for each run of the converter."""
    monkeypatch.setattr(cards, "catalogue", lambda: (small_card,))
    found: list[str] = []

    def write(
        command: list[Any], made: Path, expected: int, *, env: dict[str, str], **_: object
    ) -> None:
        found.append(env["PYTHONPATH"])
        made.parent.mkdir()
        made.write_bytes(bytes(expected))
        made.with_name("config.json").write_text("{}")

    monkeypatch.setattr(gptq, "write_file", write)
    return found


def made() -> Path:
    path = prepare_model("small", (), SilentProgress(), gptq=lambda _: PACKAGES).gptq
    assert path is not None
    return path


def test_it_is_made_once_and_for_those_who_ask(runs: list[str]) -> None:
    assert prepare_model("small", (), SilentProgress()).gptq is None
    assert runs == []
    first = made()
    assert first.is_dir()
    assert made() == first
    (path,) = runs
    assert path.endswith(f":{PACKAGES}")


def test_once_it_is_made_its_packages_are_not_asked_for(runs: list[str]) -> None:
    def lacking(_: Progress) -> Path:
        raise SetupError("not installed")

    with pytest.raises(SetupError):
        prepare_model("small", (), SilentProgress(), gptq=lacking)
    path = made()
    assert prepare_model("small", (), SilentProgress(), gptq=lacking).gptq == path


def test_another_release_of_the_converter_makes_it_anew(
    runs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    old = made()
    assert gptq._converter() in old.name
    monkeypatch.setattr(gptq, "_converter", lambda: "99.0")
    assert made() != old
    assert len(runs) == 2


@pytest.mark.parametrize("lost", ["model.safetensors", "config.json"])
def test_a_damaged_one_is_told(runs: list[str], lost: str) -> None:
    (made() / lost).unlink()
    with pytest.raises(ModelError, match=f"damaged: {lost} is missing"):
        made()


def test_one_without_a_record_was_never_finished(runs: list[str]) -> None:
    record_of(made()).unlink()
    made()
    assert len(runs) == 2


def test_it_is_listed_and_removed_with_its_record(runs: list[str]) -> None:
    path = made()
    (listed,) = [form for form in forms() if form.path == path]
    assert (listed.model, listed.kind, listed.is_ours) == ("small", "GPTQ int4", True)
    assert listed.bytes > 0
    remove_form(path)
    assert [each for each in gptq.gptq_dir().iterdir() if not each.name.endswith(".lock")] == []


def test_what_is_still_to_be_written_is_told(runs: list[str], small_card: ModelCard) -> None:
    source = listed_source(small_card)

    def missing() -> dict[str, int]:
        return {each.form: each.bytes for each in still_to_write(source, (), gptq=True)}

    assert list(missing()) == ["safetensors", "GPTQ in 4 bits"]
    assert missing()["GPTQ in 4 bits"] < missing()["safetensors"]
    assert [each.form for each in still_to_write(source, ())] == ["safetensors"]
    made()
    assert missing() == {}


@pytest.mark.parametrize(("rows", "group"), [({128, 384}, 128), ({192, 256}, 64), ({96}, 32)])
def test_groups_divide_the_rows_of_every_matrix(rows: set[int], group: int) -> None:
    assert group_for(rows) == group


def test_rows_that_no_group_divides_are_refused() -> None:
    with pytest.raises(ValueError, match=r"divides all rows of \[100, 128\]"):
        group_for({128, 100})


def test_openings_differ() -> None:
    assert len(set(_OPENINGS)) == len(_OPENINGS) == 32
