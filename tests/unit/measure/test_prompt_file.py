"""Files of prompts: what is read, and what is said of those that hold none."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python_runner.common.errors import StudyError, UsageError
from python_runner.measure import prompt_file
from python_runner.measure.plan import Prompt
from python_runner.measure.prompt_file import (
    check_they_fit,
    read_prompt_file,
    shared_with_the_one_before,
)

HALVES: tuple[Literal["Cs"], ...] = ("Cs",)
TEXTS = st.text(st.characters(exclude_categories=HALVES, exclude_characters="\0")).filter(
    lambda text: bool(text.strip())
)


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(folder: Path, name: str, content: str | bytes) -> tuple[str, ...]:
    return read_prompt_file(written(folder, name, content)).texts


def conversation(*turns: tuple[str, str]) -> dict[str, object]:
    said = [{"from": who, "value": text} for who, text in turns]
    return {"id": "x1", "conversations": said}


def test_lines_of_a_text(tmp_path: Path) -> None:
    assert read(tmp_path, "a.txt", "one two\n\n  three  \r\n") == ("one two", "three")
    assert read(tmp_path, "prompts", "one") == ("one",)
    assert read(tmp_path, "a.txt", b"\xef\xbb\xbfone\n") == ("one",), "the mark is no text"


def test_values_of_lines(tmp_path: Path) -> None:
    lines = '{"prompt": "one\\ntwo"}\n\n"three"\n{"text": "four", "id": 3}\n'
    assert read(tmp_path, "a.jsonl", lines) == ("one\ntwo", "three", "four")
    assert read(tmp_path, "a.JSONL", lines) == ("one\ntwo", "three", "four")


def test_the_first_turn_of_the_human_is_asked(tmp_path: Path) -> None:
    entries = [
        conversation(("human", "one"), ("gpt", "an answer"), ("human", "and then?")),
        conversation(("system", "be short"), ("gpt", "Hello."), ("user", "two")),
        conversation(("human", "  "), ("gpt", "?"), ("human", "three")),
    ]
    assert read(tmp_path, "a.json", json.dumps(entries)) == ("one", "two", "three")
    lines = "\n".join(json.dumps(entry) for entry in entries)
    assert read(tmp_path, "a.jsonl", lines) == ("one", "two", "three")


def test_conversations_without_a_question_are_left_out_and_counted(tmp_path: Path) -> None:
    entries = [conversation(), conversation(("human", "one")), conversation(("gpt", "Hello."))]
    found = read_prompt_file(written(tmp_path, "a.json", json.dumps(entries)))
    assert (found.texts, found.places, found.left_out) == (("one",), ("entry 2",), 2)
    with pytest.raises(UsageError, match="none of its 1 conversations has a human"):
        read(tmp_path, "b.json", json.dumps([conversation()]))


def test_no_more_are_taken_than_asked_for(tmp_path: Path) -> None:
    path = written(tmp_path, "a.txt", "one\n\ntwo\nthree\n")
    found = read_prompt_file(path, most=2)
    assert (found.texts, found.places) == (("one", "two"), ("line 1", "line 3"))
    broken = written(tmp_path, "a.jsonl", '"one"\nno json\n')
    assert read_prompt_file(broken, most=1).texts == ("one",)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.txt", b"\n \n", "is empty"),
        ("a.txt", b"\xff\xfe\x00", "no text in UTF-8"),
        ("a.txt", b"one\nt\x00wo\n", "line 2 holds a character NUL"),
        ("a.jsonl", b'{"prompt": "x"}\nno json\n', "line 2 is no JSON"),
        ("a.jsonl", b'"x"\n' + b"[" * 100_000, "line 2 is no JSON"),
        ("a.jsonl", b'{"question": "x"}\n', "line 1 has no text"),
        ("a.jsonl", b'{"prompt": ""}\n', "line 1 has no text"),
        ("a.jsonl", b"3\n", "line 1 has no text"),
        ("a.jsonl", b'"\\ud800"\n', "line 1 holds half a character"),
        ("a.json", b"[]", "is empty"),
        ("a.json", b'{"prompt": "x"}', "is no array"),
        ("a.json", b'"one"\n"two"\n', "is no JSON"),
        ("a.json", b'["one", 3]', "entry 2 has no text"),
        ("a.json", b'["one", {"conversations": "x"}]', "entry 2 has no text"),
        ("a.json", b'[{"conversations": ["x"]}]', "entry 1: turn 1 does not say who"),
        ("a.json", b'[{"conversations": [{"from": "human"}]}]', "entry 1: turn 1 has no text"),
    ],
)
def test_a_file_that_holds_no_prompts(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read(tmp_path, name, content)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_prompt_file(tmp_path / "nothing.txt")
    with pytest.raises(UsageError, match="cannot be read"):
        read_prompt_file(tmp_path)


def test_what_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prompt_file, "MOST_CHARACTERS", 5)
    with pytest.raises(UsageError, match="line 2 has 6 characters, and at most 5"):
        read(tmp_path, "a.txt", "five5\nsix666\n")
    monkeypatch.setattr(prompt_file, "MOST_BYTES", 8)
    with pytest.raises(UsageError, match="are read"):
        read(tmp_path, "a.txt", "one\ntwo\nthree\n")


@given(st.lists(TEXTS, min_size=1, max_size=8))
def test_every_shape_of_json_gives_the_same_texts(texts: list[str]) -> None:
    shapes: list[list[object]] = [
        list(texts),
        [{"prompt": text} for text in texts],
        [{"text": text, "id": 1} for text in texts],
        [conversation(("gpt", "Hello."), ("human", text)) for text in texts],
    ]
    with tempfile.TemporaryDirectory() as name:
        for values in shapes:
            for is_ascii in (True, False):
                lines = "\n".join(json.dumps(one, ensure_ascii=is_ascii) for one in values)
                assert read(Path(name), "a.jsonl", lines) == tuple(texts)
                array = json.dumps(values, ensure_ascii=is_ascii)
                assert read(Path(name), "a.json", array) == tuple(texts)


@given(st.binary(max_size=200), st.sampled_from(["a.txt", "a.jsonl", "a.json"]))
def test_whatever_a_file_holds_it_is_read_or_refused(content: bytes, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        try:
            texts = read(Path(folder), name, content)
        except UsageError:
            return
    assert texts
    assert all(text.strip() for text in texts)


def prompts(*ids: Sequence[int]) -> tuple[Prompt, ...]:
    return tuple(Prompt(text=f"prompt {n}", ids=tuple(each)) for n, each in enumerate(ids, 1))


def test_what_does_not_fit_is_told_with_its_place(tmp_path: Path) -> None:
    asked = read_prompt_file(written(tmp_path, "a.txt", "one\n\ntwo\nthree\n"))
    found = prompts(range(5), range(9), range(11))
    check_they_fit(found, asked, context=13, new_tokens=2)
    with pytest.raises(StudyError, match=r"a\.txt, line 4 .* has 11 tokens") as error:
        check_they_fit(found, asked, context=12, new_tokens=2)
    assert "--context 13" in (error.value.hint or "")
    with pytest.raises(StudyError, match=r"line 3 .*; 2 of 3 do not fit"):
        check_they_fit(found, asked, context=10, new_tokens=2)


def test_what_a_prompt_shares_with_the_one_before() -> None:
    assert shared_with_the_one_before(prompts([2, 5, 6], [2, 7, 6], [2, 5, 6])) == 0
    assert shared_with_the_one_before(prompts([2, 5, 6], [2, 5, 8], [2, 9])) == 1
    assert shared_with_the_one_before(prompts([2, 5, 6], [2, 5, 6])) == 2
    assert shared_with_the_one_before(prompts([5], [6])) == 0
    assert shared_with_the_one_before(prompts([5])) == 0
