"""One text, one list of ids: the `tokenizers` library and SentencePiece agree."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sentencepiece
from hypothesis import example, given
from hypothesis import strategies as st

from python_runner.common.errors import ModelError, UnknownNameError
from python_runner.common.locations import source_root
from python_runner.models import ReferenceTokenizer, render_prompt
from python_runner.models.cards import models_dir
from python_runner.models.tokenizer import make_vocabulary, write_tokenizer
from python_runner.models.tokenizer.vocabulary import BOS_ID, FIRST_PIECE_ID, SPACE, SPECIALS

CASES = json.loads((source_root() / "tests/data/tokenizer_cases.json").read_text("utf-8"))["cases"]
FILES = (
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "generation_config.json",
)


@dataclass(frozen=True, kw_only=True)
class Pair:
    """The same vocabulary, read by two libraries."""

    reference: ReferenceTokenizer
    pieces: Any


@pytest.fixture(scope="module", params=[1024, 20_000])
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return _pair(tmp_path_factory.mktemp("tokenizer"), request.param)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return _pair(tmp_path_factory.mktemp("tokenizer"), 1024)


def _pair(folder: Path, size: int) -> Pair:
    write_tokenizer(folder, make_vocabulary(size), context=512)
    processor = sentencepiece.SentencePieceProcessor()
    processor.LoadFromFile(str(folder / "tokenizer.model"))
    return Pair(reference=ReferenceTokenizer(folder), pieces=processor)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_both_libraries_agree_on_the_test_set(pair: Pair, case: dict[str, Any]) -> None:
    ids = pair.reference.encode(case["text"])
    assert ids[0] == BOS_ID
    if not case["has_markers"]:
        assert list(ids[1:]) == pair.pieces.encode(case["text"])


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_the_ids_of_the_tiny_model_are_those_written_down(
    small: Pair, case: dict[str, Any]
) -> None:
    assert list(small.reference.encode(case["text"])) == case["ids"]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_decoding_gives_the_text_back(pair: Pair, case: dict[str, Any]) -> None:
    # The mark that stands for a space can't be told from one.
    text = case["text"].replace(SPACE, " ")
    assert pair.reference.decode(pair.reference.encode(case["text"])[1:]) == text


_TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)
_LIKELY = st.text(st.sampled_from("aeiou bcdnstr\n1.,E<>_"), max_size=60)


@given(_TEXTS | _LIKELY)
@example("bababababa bababa")
@example(" the  theatre then  there ")
def test_both_libraries_agree_on_any_text(small: Pair, text: str) -> None:
    if any(marker in text for marker in SPECIALS):
        return
    assert list(small.reference.encode(text)[1:]) == small.pieces.encode(text)


def test_every_piece_can_be_reached(pair: Pair) -> None:
    for number in range(FIRST_PIECE_ID, pair.reference.piece_count):
        text = pair.pieces.IdToPiece(number).replace(SPACE, " ")
        assert pair.reference.encode(text) == (BOS_ID, number), text


def test_every_score_differs(pair: Pair) -> None:
    scores = [pair.pieces.GetScore(n) for n in range(FIRST_PIECE_ID, pair.reference.piece_count)]
    assert len(set(scores)) == len(scores)
    assert scores == sorted(scores, reverse=True)


def test_the_trained_model_carries_this_tokenizer(tmp_path: Path) -> None:
    write_tokenizer(tmp_path, make_vocabulary(1024), context=512)
    for name in FILES:
        assert (models_dir() / "gemma-2-tiny" / name).read_bytes() == (tmp_path / name).read_bytes()


def test_markers_are_one_id_each(small: Pair) -> None:
    prompt = render_prompt("chat", "hi")
    assert prompt == "<start_of_turn>user\nhi<end_of_turn>\n<start_of_turn>model\n"
    ids = small.reference.encode(prompt)
    assert [ids.count(number) for number in (2, 5, 6)] == [1, 2, 1]


def test_a_raw_prompt_is_the_text_itself() -> None:
    assert render_prompt("raw", "{text} <b>") == "{text} <b>"


def test_an_unknown_template_is_named() -> None:
    with pytest.raises(UnknownNameError, match="chta") as raised:
        render_prompt("chta", "hi")
    assert "'chat'" in raised.value.hint


@pytest.mark.parametrize("content", [None, b"", b"{}", b"\xff\xfe"])
def test_a_tokenizer_that_cannot_be_read_is_a_model_error(
    tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "tokenizer.json").write_bytes(content)
    with pytest.raises(ModelError, match=r"tokenizer\.json"):
        ReferenceTokenizer(tmp_path)
