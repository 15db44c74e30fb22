"""The files of the catalogue of servers, and those that a user adds."""

from __future__ import annotations

from pathlib import Path

import pytest

from python_runner.common.checkup import State
from python_runner.common.errors import UnknownNameError, UsageError
from python_runner.engines import checkup
from python_runner.engines.contract import Reach
from python_runner.engines.servers import page
from python_runner.engines.servers.read import (
    VARIABLE,
    servers,
    shipped_files,
    shipped_servers,
    users_files,
    users_servers,
)
from python_runner.engines.table import engine, engine_names, is_brought

PAGE = Path(__file__).parents[4] / "docs" / "engines" / "servers.md"
LIKE_VLLM = """
name = "my-vllm"
like = "vllm"
title = "vLLM, my branch"
devices = ["cpu", "cuda"]

[find]
variable = "POLYSTACK_MY_VLLM"
"""


def write(folder: Path, text: str, name: str = "mine.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def mistake(monkeypatch: pytest.MonkeyPatch, path: Path) -> str:
    monkeypatch.setenv(VARIABLE, str(path))
    (broken,) = users_files().broken
    assert users_servers() == {}
    assert broken.error.hint
    return broken.error.message


@pytest.mark.parametrize("name", shipped_servers())
def test_each_server_is_a_row_that_the_user_brings(name: str) -> None:
    spec = engine(name).spec
    assert spec.reach is Reach.SERVED
    assert spec.devices == ("cuda",)
    assert all(each.memory_per_weight_byte is None for each in spec.formats.values())
    assert is_brought(name)
    assert shipped_files()[name].suffix == ".toml"


@pytest.mark.parametrize("row", shipped_servers().values(), ids=lambda row: row.name)
def test_each_server_says_where_its_facts_were_read(row: object) -> None:
    from python_runner.engines.servers.schema import ServerRow

    assert isinstance(row, ServerRow)
    assert row.quirks
    assert len(row.sources) > 1


def test_the_page_says_what_the_files_say() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == page.written(text), (
        "write it anew: python -m python_runner.engines.servers.page docs/engines/servers.md"
    )


def test_a_users_server_takes_over_what_it_does_not_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(write(tmp_path, LIKE_VLLM)))
    mine, theirs = users_servers()["my-vllm"], shipped_servers()["vllm"]
    assert mine.command == theirs.command
    assert mine.find.variable == "POLYSTACK_MY_VLLM"
    assert mine.find.program == "vllm"
    assert "my-vllm" in engine_names()
    assert is_brought("my-vllm")
    assert engine("my-vllm").spec.devices == ("cpu", "cuda")


def test_a_folder_may_hold_several(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, LIKE_VLLM, "a.toml")
    again = '[[servers]]\nname = "his"\nlike = "my-vllm"\ntitle = "His"\n'
    write(tmp_path, again, "b.toml")
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert list(users_servers()) == ["my-vllm", "his"]
    assert set(servers()) == {"my-vllm", "his", *shipped_servers()}


def test_a_shipped_server_cannot_be_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, 'name = "vllm"\nlike = "sglang"\ntitle = "Mine"\n')
    assert "there is a server 'vllm' already" in mistake(monkeypatch, path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('like = "no-such"', "like: there is no server 'no-such' before it"),
        ("name = ", "is no TOML"),
        (LIKE_VLLM + "\n[asks]\npromt = 'ids'\n", "asks.promt: Extra inputs"),
        (LIKE_VLLM + "\n[asks]\nprompt = 'both'\n", "asks.prompt: Input should be 'ids' or 'text'"),
        (LIKE_VLLM.replace("title", "command = ['{modle}']\ntitle"), "placeholder 'modle'"),
        (LIKE_VLLM + "module = 'vllm'\n", "name one of program, module and holds"),
        (LIKE_VLLM + "\n[version]\npattern = 'x'\n", "version.pattern: "),
        (LIKE_VLLM + "\n[precision.8bit]\nfolder = '-fp8'\n", "folder and made_by"),
        (LIKE_VLLM + "\n[answers]\nids = ''\ntext_of_ids = true\n", "text_of_ids needs ids"),
        ('name = "mine"\ntitle = "Mine"\n', "language: Field required"),
    ],
)
def test_a_mistake_is_told_with_file_and_key(
    text: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, text)
    message = mistake(monkeypatch, path)
    assert str(path) in message
    assert told in message


def test_a_file_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "cannot be read" in mistake(monkeypatch, tmp_path / "nothing.toml")


SPOILT = 'name = "spoilt"\nlike = "vllm"\ntitle = "Spoilt\n'
WRONG = '[[servers]]\nname = "wrong"\nlike = "nobody"\n'
LISTS = "servers = [1]\n"


def test_what_is_wrong_costs_no_other_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, SPOILT, "a.toml")
    write(tmp_path, WRONG + '\n[[servers]]\nname = "his"\nlike = "vllm"\ntitle = "His"\n', "b.toml")
    write(tmp_path, LISTS, "c.toml")
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert list(users_servers()) == ["his"]
    assert [each.names for each in users_files().broken] == [("spoilt",), ("wrong",), ()]
    assert engine("his").spec.title == "His"
    assert {"his", "vllm", "llama.cpp"} <= set(engine_names())
    assert not {"spoilt", "wrong"} & set(engine_names())


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [(SPOILT, "spoilt", "mine.toml is no TOML"), (WRONG, "wrong", "no server 'nobody' before it")],
)
def test_who_names_a_broken_server_is_told_its_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, name: str, said: str
) -> None:
    monkeypatch.setenv(VARIABLE, str(write(tmp_path, text)))
    with pytest.raises(UsageError, match=said):
        engine(name)
    with pytest.raises(UnknownNameError):
        engine("another")


def test_a_name_that_may_stand_in_a_lost_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "nothing.toml"))
    with pytest.raises(UnknownNameError) as raised:
        engine("mine")
    assert "nothing.toml cannot be read" in raised.value.hint


def test_doctor_has_a_row_for_a_broken_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(write(tmp_path, WRONG)))
    monkeypatch.setattr(checkup, "engine_names", lambda: ())
    (finding,) = checkup.EnginesCheckup().look()
    assert (finding.subject, finding.state) == ("wrong", State.BROKEN)
    assert "mine.toml" in finding.detail
    assert not finding.is_needed
