"""The reference scores all answers to a prompt, each distinct one once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from python_runner.common.errors import GenerationError
from python_runner.engines.contract import GenerateRequest, Generation
from python_runner.engines.scoring import ScoreRequest, TokenScores
from python_runner.measure.answers.answer import (
    GivenAnswer,
    ScoredAnswer,
    TokensFrom,
    UnreadAnswer,
    Verdictable,
)
from python_runner.measure.answers.cut import Ids, Reader, Tokenizer, cut_text

TOP = 16
"""Best tokens that the reference tells of each place: among them a text's cut is looked for."""


class Reference(Protocol):
    """What is asked of the reference engine."""

    def score(self, request: ScoreRequest) -> TokenScores: ...
    def generate(self, request: GenerateRequest) -> Generation: ...


class Referee:
    """Asks a reference that is running."""

    def __init__(self, reference: Reference, tokenizer: Tokenizer) -> None:
        self._reference = reference
        self._tokenizer = tokenizer

    def judge(self, prompt_text: str, answers: Sequence[GivenAnswer]) -> Iterator[Verdictable]:
        """Score the answers to one prompt, those with ids first.

        Raises what the reference raises: then there is nobody to judge by.
        """
        prompt = _Prompt(self._reference, Reader(self._tokenizer, prompt_text))
        told = [answer for answer in answers if answer.token_ids is not None]
        texts = [answer for answer in answers if answer.token_ids is None]
        found = [prompt.told(answer) for answer in told]
        found += [prompt.read(answer) for answer in texts]
        for one in found:
            yield prompt.with_greedy(one) if isinstance(one, ScoredAnswer) else one


class _Prompt:
    """One prompt, and what the reference has said of answers to it."""

    def __init__(self, reference: Reference, reader: Reader) -> None:
        self._reference = reference
        self._reader = reader
        self._scored: dict[Ids, TokenScores] = {}
        self._greedy: Ids = ()

    def told(self, answer: GivenAnswer) -> Verdictable:
        """An answer whose ids the engine told."""
        assert answer.token_ids is not None
        return self._found(answer, answer.token_ids, TokensFrom.ENGINE)

    def read(self, answer: GivenAnswer) -> Verdictable:
        """An answer of which only the text is there."""
        text = answer.text.rstrip("\N{REPLACEMENT CHARACTER}")
        for ids in self._scored:
            if len(ids) == answer.tokens and self._reader.text_of(ids) == text:
                return self._found(answer, ids, TokensFrom.SAME_TEXT)
        # Mostly it is the reference's own answer, whose cut is then known.
        known = [*self._scored, self._greedy_of(answer.tokens)]
        cut = cut_text(text, self._reader, known, self._score)
        if cut is None:
            return UnreadAnswer(
                sample_id=answer.sample_id,
                reason="the model's tokenizer makes no tokens that read like this text",
            )
        ids, _ = cut
        exact = len(ids) == answer.tokens
        return self._found(answer, ids, TokensFrom.CUT if exact else TokensFrom.CUT_OTHERWISE)

    def with_greedy(self, found: ScoredAnswer) -> ScoredAnswer:
        """The same with the reference's own answer beside it."""
        count = len(found.token_ids)
        return replace(found, greedy_ids=self._greedy_of(count)[:count])

    def _found(self, answer: GivenAnswer, ids: Ids, tokens_from: TokensFrom) -> ScoredAnswer:
        return ScoredAnswer(
            sample_id=answer.sample_id,
            token_ids=ids,
            tokens_from=tokens_from,
            scores=self._score(ids),
            greedy_ids=(),
        )

    def _score(self, ids: Ids) -> TokenScores:
        if ids not in self._scored:
            request = ScoreRequest(prompt_ids=self._reader.prompt_ids, answer_ids=ids, top=TOP)
            self._scored[ids] = self._reference.score(request)
        return self._scored[ids]

    def _greedy_of(self, count: int) -> Ids:
        """The first `count` tokens of the reference's own answer.

        Wherever an answer agrees with it, its scores tell the next token as well, so most
        often nothing has to be generated.
        """
        known = self._follow(self._greedy)
        while len(known) < count:
            longer = self._follow(known)
            if longer == known:
                longer = self._generate(known, count)
            known = longer
        self._greedy = known
        return known

    def _follow(self, known: Ids) -> Ids:
        """`known` and what the scores of answers that begin so say of what comes next."""
        for ids, scores in self._scored.items():
            if ids[: len(known)] != known or len(ids) <= len(known):
                continue
            return (*known, scores.top_ids[len(known)][0])
        return known

    def _generate(self, known: Ids, count: int) -> Ids:
        request = GenerateRequest(
            prompt_text="",
            prompt_ids=(*self._reader.prompt_ids, *known),
            new_tokens=count - len(known),
        )
        ids = self._reference.generate(request).token_ids
        if not ids:
            raise GenerationError("the reference gave no tokens of its own")
        return (*known, *ids)
