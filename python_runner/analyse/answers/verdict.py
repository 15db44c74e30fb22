"""Whether a stack's answers are right, and if not, why."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd

from python_runner.analyse.answers.limits import ENOUGH_TOKENS, Limits, limits_for
from python_runner.analyse.answers.tokens import answer_figures
from python_runner.analyse.latency import NAN
from python_runner.measure.answers.answer import TokensFrom
from python_runner.store import AnswerFrames


class AnswerVerdict(StrEnum):
    """What the reference says of a stack's answers."""

    RIGHT = "right"
    WRONG = "wrong"
    NOT_COMPARED = "not compared"


def judge_answers(frames: AnswerFrames) -> pd.DataFrame:
    """Judge each stack whose answers were looked at.

    Returns:
        One row for each stack:

        - run_id, condition_id, bits; verdict (an `AnswerVerdict`'s value); reason: why it is
          wrong, or was not compared, else "".
        - answers: how many; unread: of them those that could not be read; cut: those that came
          as text and were cut into tokens; cut_otherwise: of those, where the number of tokens
          is not the engine's.
        - tokens, best_tokens, near_ties, far_tokens, equal_tokens: sums; diverging: answers that
          differ from the reference's own. best_share, equal_share: of the tokens.
        - mean_shortfall, worst_shortfall: nats.
        - perplexity, perplexity_ratio (over the reference's), mean_difference (mean absolute
          difference of log-probabilities) on the fixed text; passage_error: why there are none.
    """
    figures = answer_figures(frames.answers)
    checks = frames.checks.set_index("run_id")
    rows = []
    for stack in frames.stacks.to_dict(orient="records"):
        if pd.isna(stack["condition_id"]):
            continue
        mine = figures[figures["condition_id"] == stack["condition_id"]]
        row = {
            "run_id": int(stack["run_id"]),
            "condition_id": int(stack["condition_id"]),
            "bits": stack["bits"],
            **_sums(mine),
            **_on_the_text(stack, _reference_logprobs(frames.stacks, stack["run_id"])),
        }
        verdict, reason = _verdict(row, mine, str(checks.loc[stack["run_id"], "error"]))
        rows.append({**row, "verdict": verdict.value, "reason": reason})
    columns = ["run_id", "condition_id", "bits", *_sums(figures.iloc[:0]), *_TEXT, *_JUDGED]
    return pd.DataFrame(rows, columns=columns)


_TEXT = ("perplexity", "perplexity_ratio", "mean_difference", "passage_error")
_JUDGED = ("verdict", "reason")


def with_answers(conditions: pd.DataFrame, frames: AnswerFrames) -> pd.DataFrame:
    """`conditions` with what is known of their answers.

    Returns:
        Two columns more. answers: the row of `judge_answers` as a dictionary, with `reference`
        (its title and version) besides; None where answers were not looked at. struck: why the
        stack's speed does not count, else "".
    """
    references = {
        row["run_id"]: f"{row['reference_title']} {row['reference_version']}".strip()
        for row in frames.checks.to_dict(orient="records")
    }
    found = {
        row["condition_id"]: {**row, "reference": references[row["run_id"]]}
        for row in judge_answers(frames).to_dict(orient="records")
    }
    mine = [found.get(int(condition)) for condition in conditions["condition_id"]]
    struck = [
        str(row["reason"]) if row and row["verdict"] == AnswerVerdict.WRONG.value else ""
        for row in mine
    ]
    return conditions.assign(
        answers=pd.Series(mine, index=conditions.index, dtype=object),
        struck=pd.Series(struck, index=conditions.index, dtype=object),
    )


def _sums(mine: pd.DataFrame) -> dict[str, float]:
    read = mine[mine["error"] == ""]
    # Where tokens begin is a guess there, and a wrong guess looks like an unlikely token.
    sure = read[read["tokens_from"] != TokensFrom.CUT_OTHERWISE.value]
    tokens = float(sure["tokens"].sum())
    worst = float(sure["worst_shortfall"].max()) if len(sure) else NAN
    return {
        "answers": len(mine),
        "unread": len(mine) - len(read),
        "cut": int(read["tokens_from"].isin([TokensFrom.CUT, TokensFrom.CUT_OTHERWISE]).sum()),
        "cut_otherwise": len(read) - len(sure),
        **{
            name: int(sure[name].sum())
            for name in ("tokens", "best_tokens", "near_ties", "far_tokens", "equal_tokens")
        },
        "diverging": int(sure["first_divergence"].notna().sum()),
        "best_share": float(sure["best_tokens"].sum()) / tokens if tokens else NAN,
        "equal_share": float(sure["equal_tokens"].sum()) / tokens if tokens else NAN,
        "mean_shortfall": float(sure["sum_shortfall"].sum()) / tokens if tokens else NAN,
        "worst_shortfall": worst,
    }


def _reference_logprobs(stacks: pd.DataFrame, run_id: object) -> np.ndarray:
    mine = stacks[(stacks["run_id"] == run_id) & stacks["condition_id"].isna()]
    return np.asarray(mine["logprobs"].iloc[0] if len(mine) else [])


def _on_the_text(stack: Mapping[Any, Any], reference: np.ndarray) -> dict[str, object]:
    own = np.asarray(stack["logprobs"])
    if not own.size:
        return {**dict.fromkeys(_TEXT, NAN), "passage_error": stack["error"]}
    is_paired = own.size == reference.size
    return {
        "perplexity": math.exp(-own.mean()),
        "perplexity_ratio": math.exp(reference.mean() - own.mean()) if is_paired else NAN,
        "mean_difference": float(np.abs(own - reference).mean()) if is_paired else NAN,
        "passage_error": "",
    }


def _verdict(
    row: Mapping[str, Any], answers: pd.DataFrame, error: str
) -> tuple[AnswerVerdict, str]:
    limits = limits_for(row["bits"])
    reasons = list(_wrong(row, answers, limits))
    if reasons:
        return AnswerVerdict.WRONG, reasons[0]
    if not row["tokens"]:
        unread = answers.loc[answers["error"] != "", "error"]
        return AnswerVerdict.NOT_COMPARED, error or _why_not(row, unread)
    return AnswerVerdict.RIGHT, ""


def _why_not(row: Mapping[str, Any], unread: pd.Series) -> str:
    if row["cut_otherwise"]:
        return (
            "its answers came as text that could not be cut into as many tokens as it counts, "
            "and with weights of so few bits what was cut wrongly looks like a wrong answer"
        )
    return str(unread.iloc[0]) if len(unread) else "no answer that can be compared"


def _wrong(row: Mapping[str, Any], answers: pd.DataFrame, limits: Limits) -> Iterator[str]:
    """What is beyond a limit, the plainest first."""
    tokens, mean = row["tokens"], row["mean_shortfall"]
    if row["worst_shortfall"] > limits.shortfall:
        far = int(row["far_tokens"])
        yield (
            f"{far} of {tokens} tokens are not what the model says, the worst "
            f"{row['worst_shortfall']:.2g} nats less likely than the best token there "
            f"(a near-tie is at most {limits.shortfall:g})"
        )
    judged = tokens >= ENOUGH_TOKENS or not math.isfinite(limits.shortfall)
    if judged and mean > limits.mean_shortfall:
        yield (
            f"{1 - row['best_share']:.0%} of {tokens} tokens are not the model's best, and on "
            f"average a token is {mean:.2g} nats less likely than the best "
            f"(at most {limits.mean_shortfall:g} are allowed)"
        )
    yield from _wrong_on_the_text(row, limits)
    otherwise = answers[answers["tokens_from"] == TokensFrom.CUT_OTHERWISE.value]
    if len(otherwise) and limits.tells_cut_texts:
        whole = float(otherwise["sum_shortfall"].sum() / otherwise["tokens"].sum())
        if whole > limits_for(0).mean_shortfall:
            yield (
                f"its texts are not what the model says: however they are cut, a token is "
                f"{whole:.2g} nats less likely than the best on average"
            )


def _wrong_on_the_text(row: Mapping[str, Any], limits: Limits) -> Iterator[str]:
    if row["mean_difference"] > limits.mean_difference:
        yield (
            f"on a fixed text its log-probabilities are {row['mean_difference']:.2g} nats off on "
            f"average (at most {limits.mean_difference:g} are allowed)"
        )
    if row["perplexity_ratio"] > limits.perplexity_ratio:
        yield (
            f"its perplexity on a fixed text is {row['perplexity_ratio']:.2f} times the "
            f"reference's (at most {limits.perplexity_ratio:g} is allowed)"
        )
