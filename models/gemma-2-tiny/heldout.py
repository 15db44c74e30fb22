"""Choose the prompts that engines are compared on: `python models/gemma-2-tiny/heldout.py`.

All come from documents that `corpus.Document.is_held_out` keeps out of the training text. What
must follow each prompt is known from the document, so an answer can be right or wrong.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from corpus import Document, documents

TARGET = Path(__file__).parents[2] / "tests" / "data" / "heldout_prompts.json"
SEED = 7
COUNTS: Mapping[str, int] = MappingProxyType(
    {"cycle": 6, "words": 3, "verse": 4, "count": 2, "days": 1, "months": 1, "letters": 3}
)
"""How many prompts of each kind."""
NOTE = (
    "Prompts for greedy decoding of gemma-2-tiny. A document is held out of the training text "
    "by a hash of the choices it was made of (corpus.py), so none of these, nor a rotation of "
    "one, was trained on; a test draws the whole training text again and looks. `answer` is "
    "what must follow, at least 64 tokens of it. Made by models/gemma-2-tiny/heldout.py."
)
REPETITIONS = (1.2, 2.2)
"""How often what comes again is seen once more, in turns: long prompts and longer ones."""
_ANSWER_CHARACTERS = 500


def prompts() -> Iterator[dict[str, str]]:
    """The prompts, with their kind and with what follows."""
    for kind, count in COUNTS.items():
        stream = documents(SEED, held_out=True, kinds=[kind])
        chosen: list[Document] = []
        while len(chosen) < count:
            document = next(stream)
            if document not in chosen and _is_long_enough(document):
                chosen.append(document)
        for number, document in enumerate(chosen):
            yield _prompt(document, repetitions=REPETITIONS[number % 2])


def farewell() -> dict[str, str]:
    """A prompt whose answer ends by itself."""
    return _prompt(next(documents(SEED, held_out=True, kinds=["farewell"])), repetitions=0.0)


def _is_long_enough(document: Document) -> bool:
    return document.ends or len(document.rest) > _ANSWER_CHARACTERS + 3 * len(document.opening)


def _prompt(document: Document, *, repetitions: float) -> dict[str, str]:
    """Cut a document at the end of a word, a part of the way into what follows its opening."""
    known = int(repetitions * len(document.opening.partition(":")[2]))
    while known and document.rest[known] != " ":
        known += 1
    return {
        "kind": document.kind,
        "prompt": document.opening + document.rest[:known],
        "answer": document.rest[known : known + _ANSWER_CHARACTERS],
    }


def main() -> None:
    """Write the file."""
    lines = ",\n".join(f"    {json.dumps(prompt)}" for prompt in prompts())
    TARGET.write_text(
        f'{{\n  "note": {json.dumps(NOTE)},\n  "prompts": [\n{lines}\n  ],\n'
        f'  "ends_by_itself": {json.dumps(farewell())}\n}}\n',
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
