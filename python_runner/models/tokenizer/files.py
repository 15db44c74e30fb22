"""Write a vocabulary in the forms that the engines read."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

from python_runner.models.tokenizer.style import GEMMA, TokenizerStyle
from python_runner.models.tokenizer.templates import CHAT_TEMPLATE, PLAIN_CHAT_TEMPLATE
from python_runner.models.tokenizer.vocabulary import (
    BOS_ID,
    END_OF_TURN_ID,
    EOS_ID,
    FIRST_BYTE_ID,
    FIRST_PIECE_ID,
    SPACE,
    SPECIALS,
    UNK_ID,
    Vocabulary,
)

PAD, EOS, BOS, UNK = SPECIALS[:4]


def write_tokenizer(
    folder: Path, vocabulary: Vocabulary, *, context: int, style: TokenizerStyle = GEMMA
) -> None:
    """Write all tokenizer files of a model into `folder`.

    Args:
        folder: of the model; must exist.
        vocabulary: what to write.
        context: most tokens that the model takes, prompt and answer together.
        style: the conventions of the model's architecture.
    """
    (folder / "tokenizer.model").write_bytes(sentencepiece_model(vocabulary, style))
    _write_json(folder / "tokenizer.json", tokenizer_json(vocabulary, style), indent=None)
    _write_json(folder / "tokenizer_config.json", _tokenizer_config(context, style))
    _write_json(folder / "special_tokens_map.json", _special_tokens(style))
    _write_json(folder / "generation_config.json", _generation_config())


def sentencepiece_model(vocabulary: Vocabulary, style: TokenizerStyle = GEMMA) -> bytes:
    """The vocabulary as a SentencePiece BPE model with byte fallback."""
    # Generated code whose classes come into being at run time: no types to check.
    format_: Any = import_module("sentencepiece.sentencepiece_model_pb2")
    kinds = format_.ModelProto.SentencePiece
    model = format_.ModelProto()
    for text, number in vocabulary.ids():
        piece = model.pieces.add(piece=text, score=0.0)
        if number == UNK_ID:
            piece.type = kinds.UNKNOWN
        elif number < FIRST_BYTE_ID:
            piece.type = kinds.CONTROL
        elif number < FIRST_PIECE_ID:
            piece.type = kinds.BYTE
        else:
            # Every score is a whole number of its own, and exact as a 32-bit float.
            piece.score = float(FIRST_PIECE_ID - number - 1)
    trainer = model.trainer_spec
    trainer.model_type = format_.TrainerSpec.BPE
    trainer.vocab_size = vocabulary.size
    trainer.byte_fallback = True
    trainer.pad_id, trainer.eos_id, trainer.bos_id, trainer.unk_id = 0, EOS_ID, BOS_ID, UNK_ID
    trainer.pad_piece, trainer.eos_piece, trainer.bos_piece, trainer.unk_piece = SPECIALS[:4]
    normalizer = model.normalizer_spec
    normalizer.name = "identity"
    normalizer.add_dummy_prefix = style.puts_space
    normalizer.remove_extra_whitespaces = False
    normalizer.escape_whitespaces = True
    data: bytes = model.SerializeToString(deterministic=True)
    return data


def tokenizer_json(vocabulary: Vocabulary, style: TokenizerStyle = GEMMA) -> dict[str, object]:
    """The vocabulary in the form of the `tokenizers` library."""
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {
                "id": number,
                "content": marker,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
                "special": True,
            }
            for number, marker in enumerate(SPECIALS)
        ],
        "normalizer": _normalizer(style),
        "pre_tokenizer": None,
        "post_processor": _bos_first() if style.puts_bos else None,
        "decoder": {
            "type": "Sequence",
            "decoders": [
                {"type": "Replace", "pattern": {"String": SPACE}, "content": " "},
                {"type": "ByteFallback"},
                {"type": "Fuse"},
            ],
        },
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": UNK,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": True,
            "byte_fallback": True,
            "ignore_merges": False,
            "vocab": dict(vocabulary.ids()),
            "merges": [list(pair) for pair in vocabulary.merges()],
        },
    }


def _normalizer(style: TokenizerStyle) -> dict[str, object]:
    spaces: dict[str, object] = {"type": "Replace", "pattern": {"String": " "}, "content": SPACE}
    if not style.puts_space:
        return spaces
    return {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": SPACE}, spaces]}


def _bos_first() -> dict[str, object]:
    bos = {"SpecialToken": {"id": BOS, "type_id": 0}}
    first, second = ({"Sequence": {"id": name, "type_id": n}} for n, name in enumerate("AB"))
    return {
        "type": "TemplateProcessing",
        "single": [bos, first],
        "pair": [bos, first, {"SpecialToken": {"id": BOS, "type_id": 1}}, second],
        "special_tokens": {BOS: {"id": BOS, "ids": [BOS_ID], "tokens": [BOS]}},
    }


def _tokenizer_config(context: int, style: TokenizerStyle) -> dict[str, object]:
    return {
        "tokenizer_class": "GemmaTokenizer" if style.is_gemmas else "PreTrainedTokenizerFast",
        # Without this some engines put BOS before the prompt and others do not.
        "add_bos_token": style.puts_bos,
        "add_eos_token": False,
        **({} if style.is_gemmas else {"add_prefix_space": style.puts_space}),
        "added_tokens_decoder": {
            str(number): {
                "content": marker,
                "lstrip": False,
                "normalized": False,
                "rstrip": False,
                "single_word": False,
                "special": True,
            }
            for number, marker in enumerate(SPECIALS)
        },
        **({} if style.puts_bos else {"bos_token": None}),
        **_special_tokens(style),
        "clean_up_tokenization_spaces": False,
        "model_max_length": context,
        "chat_template": CHAT_TEMPLATE if style.is_gemmas else PLAIN_CHAT_TEMPLATE,
    }


def _special_tokens(style: TokenizerStyle) -> dict[str, object]:
    bos = {"bos_token": BOS} if style.puts_bos else {}
    return {**bos, "eos_token": EOS, "pad_token": PAD, "unk_token": UNK}


def _generation_config() -> dict[str, object]:
    return {
        "bos_token_id": BOS_ID,
        # The end of a turn ends an answer too: llama.cpp takes it so by its name.
        "eos_token_id": [EOS_ID, END_OF_TURN_ID],
        "pad_token_id": 0,
        "do_sample": False,
    }


def _write_json(path: Path, content: dict[str, object], indent: int | None = 2) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=indent) + "\n", encoding="utf-8")
