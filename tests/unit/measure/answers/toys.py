"""A model of a few pieces of text, and its tokenizer, that can be reckoned by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from python_runner.engines.contract import GenerateRequest, Generation, StopReason
from python_runner.engines.scoring import ScoreRequest, TokenScores

BOS = 0
PIECES = ("<bos>", "a", "b", "ab", " ", "c", "d")
A, B, AB, SPACE, C, D = range(1, 7)


class ToyTokenizer:
    """Takes the longest piece that fits, as real ones mostly do."""

    def encode(self, text: str) -> tuple[int, ...]:
        return (BOS, *self.encode_plain(text))

    def encode_plain(self, text: str) -> tuple[int, ...]:
        ids: list[int] = []
        while text:
            fitting = [piece for piece in PIECES[1:] if text.startswith(piece)]
            if not fitting:
                return ()
            piece = max(fitting, key=len)
            ids.append(PIECES.index(piece))
            text = text[len(piece) :]
        return tuple(ids)

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(PIECES[one] for one in ids)


class ToyReference:
    """Says of every place what `rules` say of what stands before it, without the prompt.

    A rule is the order of tokens, best first; each is one nat less likely than the one before
    (or as much as `steps` says), and tokens that are not in it are far away.
    """

    def __init__(
        self,
        rules: Mapping[tuple[int, ...], Sequence[int]],
        *,
        steps: Mapping[tuple[int, ...], float] | None = None,
    ) -> None:
        self._rules = rules
        self._steps = steps or {}
        self.scored: list[tuple[int, ...]] = []
        self.generated: list[tuple[int, ...]] = []

    def score(self, request: ScoreRequest) -> TokenScores:
        self.scored.append(request.answer_ids)
        ids = request.answer_ids
        rows = [self._row(ids[:place]) for place in range(len(ids))]
        return TokenScores(
            logprobs=tuple(dict(row).get(one, -50.0) for row, one in zip(rows, ids, strict=True)),
            top_ids=tuple(tuple(one for one, _ in row)[: request.top] for row in rows),
            top_logprobs=tuple(tuple(value for _, value in row)[: request.top] for row in rows),
        )

    def generate(self, request: GenerateRequest) -> Generation:
        self.generated.append(request.prompt_ids)
        ids = request.prompt_ids[2:]  # BOS and a prompt of one piece
        new: tuple[int, ...] = ()
        while len(new) < request.new_tokens:
            new = (*new, self._row((*ids, *new))[0][0])
        return Generation(
            requested_ns=0,
            chunk_ns=(1,) * len(new),
            chunk_tokens=(1,) * len(new),
            ended_ns=1,
            prompt_tokens=len(request.prompt_ids),
            output_tokens=len(new),
            stop=StopReason.LENGTH,
            text="",
            token_ids=new,
        )

    def _row(self, before: tuple[int, ...]) -> list[tuple[int, float]]:
        order = self._rules.get(before, (D, C, B, A))
        step = self._steps.get(before, 1.0)
        rest = [one for one in range(1, len(PIECES)) if one not in order]
        near = [(one, -0.5 - step * rank) for rank, one in enumerate(order)]
        return [*near, *((one, -20.0 - one) for one in rest)]
