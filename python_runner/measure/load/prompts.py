"""What the requests of a load ask: one text, the texts of a file (`prompt_file`), or made ones."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from itertools import takewhile

from python_runner.common.errors import StudyError
from python_runner.measure.plan import Prompt
from python_runner.measure.prompts import make_prompts, make_text

Encode = Callable[[str], tuple[int, ...]]
Render = Callable[[str], str]

_ATTEMPTS = 50


def as_prompts(
    texts: Sequence[str], *, encode: Encode | None, render: Render
) -> tuple[Prompt, ...]:
    """Texts of the user's as prompts; without a tokenizer their ids are not known, and empty."""
    rendered = [render(text) for text in texts]
    return tuple(Prompt(text=text, ids=encode(text) if encode else ()) for text in rendered)


def words_only(*, count: int, words: int, seed: int) -> tuple[Prompt, ...]:
    """Different prompts of so many words, for a server whose tokenizer is not at hand."""
    texts = dict.fromkeys(make_text(words, seed=f"{seed}/{number}") for number in range(2 * count))
    return tuple(Prompt(text=text, ids=()) for text in list(texts)[:count])


def with_shared_prefix(
    *,
    count: int,
    tokens: int,
    shared: int,
    seed: int,
    encode: Encode,
    render: Render,
    key: str = "load.prompts.shared_prefix_tokens",
) -> tuple[Prompt, ...]:
    """Different prompts of exactly `tokens` tokens, the first `shared` of which are the same.

    Both count BOS and what the template puts first. Errors name the study's `key`.

    Raises:
        StudyError: they cannot be made.
    """
    opening = len(_common([encode(render("a")), encode(render("7"))]))
    if not opening < shared < tokens:
        raise StudyError(
            f"{key} = {shared}: must be more than {opening} (BOS and "
            f"template) and less than the {tokens} of the whole prompt"
        )
    choose = random.Random(seed)  # noqa: S311 - texts, no secrets
    for _ in range(_ATTEMPTS):
        begin = make_prompts(
            count=1,
            tokens=shared - opening + len(encode("")),
            seed=choose.randrange(1 << 30),
            encode=encode,
            render=lambda text: text,
        )[0].text
        prompts = make_prompts(
            count=count,
            tokens=tokens,
            seed=seed,
            encode=encode,
            render=_after(begin, render),
        )
        # At the seam, tokens may run across the two parts: then other words are tried.
        if count == 1 or len(_common([prompt.ids for prompt in prompts])) == shared:
            return prompts
    raise StudyError(
        f"{key} = {shared}: no such beginning could be made",
        hint="Try another number of tokens.",
    )


def _after(begin: str, render: Render) -> Render:
    return lambda text: render(f"{begin} {text}")


def _common(sequences: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """The beginning that all have."""
    columns = takewhile(lambda ids: len(set(ids)) == 1, zip(*sequences, strict=False))
    return tuple(ids[0] for ids in columns)
