"""What a stored run asked and was answered, for those who look at the answers later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from pydantic import ValidationError

from python_runner.common.errors import PolystackError, UsageError
from python_runner.engines.contract import Engine
from python_runner.engines.table import engine
from python_runner.measure.answers.answer import GivenAnswer
from python_runner.models import Source, find_source
from python_runner.store import RunKind, Store, read_frames
from python_runner.study import Study


@dataclass(frozen=True, kw_only=True, eq=False)
class StoredStack:
    """One stack of the run. Equal to itself only: an engine may be what cannot be hashed."""

    condition_id: int
    name: str
    version: str
    precision: str
    threads: int
    context: int
    engine: Engine | None
    """None if there is no such engine any more."""

    @property
    def bits(self) -> int | None:
        """Of its weights; None if that is not known."""
        found = self.engine.spec.formats.get(self.precision) if self.engine else None
        return found.bits if found else None


@dataclass(frozen=True, kw_only=True)
class StoredAnswers:
    """A comparison that is over."""

    run_id: int
    study: Study
    source: Source
    sha256: str
    """Of the model that ran."""
    stacks: tuple[StoredStack, ...]
    answers: Mapping[str, Sequence[GivenAnswer]]
    """By prompt text: those to timed requests that did not fail."""

    @property
    def distinct(self) -> int:
        """How many different answers there are."""
        return len(
            {
                (prompt, one.token_ids or one.text)
                for prompt, answers in self.answers.items()
                for one in answers
            }
        )


def stored_answers(store: Store, run_id: int) -> StoredAnswers:
    """Read a run. Raises UsageError if it is a load, is empty, or its model is not known."""
    frames = read_frames(store, [run_id])
    run = frames.runs.to_dict(orient="records")[0]
    if run["kind"] != RunKind.COMPARISON:
        raise UsageError(
            f"run {run_id} is a load", hint="Answers are compared for `polystack compare`."
        )
    if frames.conditions.empty:
        raise UsageError(f"run {run_id} ended before its first stack")
    try:
        study = Study.model_validate_json(str(run["study_json"]))
    except ValidationError as error:
        raise UsageError(
            f"run {run_id} was made by another version of polystack, whose studies read otherwise"
        ) from error
    # An endpoint has a model of its own, of which nobody knows that it is the reference's.
    conditions = [
        row
        for row in frames.conditions.to_dict(orient="records")
        if row["stack"] not in study.endpoints
    ]
    if not conditions:
        raise UsageError(
            f"run {run_id} has endpoints only",
            hint="Which model answers there is not known, so there is no reference for it.",
        )
    known = {int(row["condition_id"]) for row in conditions}
    samples = frames.samples[frames.samples["condition_id"].isin(known)]
    return StoredAnswers(
        run_id=run_id,
        study=study,
        source=_source(study, str(conditions[0]["model"])),
        sha256=str(conditions[0]["source_sha256"]),
        stacks=tuple(_stack(row) for row in conditions),
        answers=_answers(samples.to_dict(orient="records")),
    )


def _source(study: Study, name: str) -> Source:
    """The one of the study's models that was run."""
    sources = [find_source(reference) for reference in study.model]
    found = next((source for source in sources if source.name == name), None)
    if found is None:
        raise UsageError(f"{name}, which was run, is none of the models of its study any more")
    return found


def _stack(row: Mapping[Any, Any]) -> StoredStack:
    candidate = None
    with suppress(PolystackError):  # a plug-in may be gone since
        candidate = engine(str(row["stack"]))
    return StoredStack(
        condition_id=int(row["condition_id"]),
        name=str(row["stack"]),
        version=str(row["version"]),
        precision=str(row["precision"]),
        threads=int(row["threads"]),
        context=int(row["context"]),
        engine=candidate,
    )


def _answers(samples: Sequence[Mapping[Any, Any]]) -> dict[str, list[GivenAnswer]]:
    wanted = [
        row
        for row in samples
        if not row["is_warmup"] and not row["error"] and row["output_tokens"] > 0
    ]
    wanted.sort(key=lambda row: str(row["prompt_text"]))
    return {
        str(prompt): [_answer(row) for row in rows]
        for prompt, rows in groupby(wanted, key=lambda row: row["prompt_text"])
    }


def _answer(row: Mapping[Any, Any]) -> GivenAnswer:
    ids = row["token_ids"]
    return GivenAnswer(
        sample_id=int(row["sample_id"]),
        text=str(row["text"]),
        token_ids=None if ids is None else tuple(int(one) for one in ids),
        tokens=int(row["output_tokens"]),
    )
