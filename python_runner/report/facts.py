"""The words that stand beside every figure: conditions, warnings, what was left out."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from python_runner.analyse.fairness import marks
from python_runner.analyse.latency import Outcome, request_metrics
from python_runner.analyse.lengths import mean_lengths, uneven_runs
from python_runner.analyse.reads import answers_at_once
from python_runner.common.clock import NS_PER_MS
from python_runner.common.errors import UsageError
from python_runner.common.variants import knobs_of
from python_runner.report.answers import answers_line, struck_note, struck_of
from python_runner.report.units import PLUS_MINUS, TO, spell_error, spell_number
from python_runner.report.words.attempts import attempt_notes
from python_runner.report.words.network import network_notes
from python_runner.report.words.resumed import resumed_words
from python_runner.report.words.time import crowd_warnings, time_notes

RANDOM_WEIGHTS = "random weights"
TINY_WARNING = "Tiny model: dominated by per-token overhead, says nothing about languages."
RANDOM_WARNING = "Random weights: the speed is real, the text means nothing."
_SEPARATOR = " · "
_LONGEST_REASON = 160


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """What one run was, in words."""

    run_id: int
    model: str
    """The model's label; says `random weights` where they are."""
    is_synthetic: bool
    work: str
    """Precision, device, threads, tokens, sampling."""
    course: str
    """Iterations, processor, date, run."""
    warnings: tuple[str, ...]
    """What changes how the figures may be read."""
    notes: tuple[str, ...]
    """Samples that were left out, and stacks without a result."""
    clock: str = ""
    """How far our own stamps are off, or what they cost; empty where that was not measured."""
    answers: str = ""
    """How the answers compare with a reference; empty where that was not looked at."""


def run_facts(
    samples: pd.DataFrame, conditions: pd.DataFrame, runs: pd.DataFrame, summary: pd.DataFrame
) -> RunFacts:
    """Put the conditions of one run into words.

    Args:
        samples: one row for each request.
        conditions: one row for each stack.
        runs: one row.
        summary: `summarise`'s rows, in whose order the notes come.

    Raises:
        UsageError: the frames hold no run, or several.
    """
    if len(runs) != 1:
        raise UsageError(
            f"a report is about one run, and this is about {len(runs)}",
            hint="`polystack runs` lists the runs; name one of them.",
        )
    run = runs.to_dict(orient="records")[0]
    study = json.loads(str(run["study_json"]) or "{}")
    is_synthetic = bool(conditions["is_synthetic"].any())
    return RunFacts(
        run_id=int(run["run_id"]),
        model=model_label(conditions) or str(study.get("model", "unknown model")),
        is_synthetic=is_synthetic,
        work=_work(samples, conditions, study),
        course=_course(run, study, summary),
        warnings=(
            *condition_warnings(conditions, run, is_synthetic=is_synthetic),
            *_length_warnings(samples),
            *_read_warnings(samples, conditions),
            *crowd_warnings(samples),
        ),
        notes=(
            *_notes(samples, summary, study),
            *time_notes(request_metrics(samples), conditions),
            *(f"{said} ({shorten(reason)})" for said, reason in attempt_notes(samples, conditions)),
            *network_notes(conditions, dict(summary[["condition_id", "ttft_ms"]].to_numpy())),
        ),
        clock=_clock(summary),
        answers=answers_line(conditions, is_synthetic=is_synthetic),
    )


def model_label(conditions: pd.DataFrame) -> str:
    """The label of the model or models; names random weights even if the label does not.

    Empty for a run that ended before any stack was started.
    """
    labels = []
    for condition in conditions.to_dict(orient="records"):
        label = str(condition["model_label"])
        if condition["is_synthetic"] and RANDOM_WEIGHTS not in label.lower():
            label = f"{label}, {RANDOM_WEIGHTS}"
        labels.append(label)
    return each_once(labels)


def shorten(text: str, longest: int = _LONGEST_REASON) -> str:
    """`text` on one line of at most `longest` characters."""
    line = " ".join(text.split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def _work(samples: pd.DataFrame, conditions: pd.DataFrame, study: Mapping[str, Any]) -> str:
    workload = study.get("workload", {})
    answered = samples[samples["error"] == ""]
    counted = answered.loc[answered["prompt_tokens"] >= 0, "prompt_tokens"]
    prompt = span(counted, workload.get("prompt_tokens"))
    new = span(samples["requested_tokens"], workload.get("new_tokens"))
    most = "at most " if workload.get("stop") == "end-of-sequence" else ""
    tokens = [f"{prompt} prompt tokens", f"{most}{new} new tokens"]
    if conditions.empty:
        return _SEPARATOR.join(["no stack was started", *tokens])
    return _SEPARATOR.join(
        [
            each_once(conditions["precision"]),
            each_once(conditions["device"]).replace("cpu", "CPU"),
            count_of(each_once(value or "?" for value in conditions["threads"]), "thread"),
            *tokens,
            f"{each_once(conditions['sampling'])}, {each_once(conditions['template'])} prompt",
        ]
    )


def _course(run: Mapping[Any, Any], study: Mapping[str, Any], summary: pd.DataFrame) -> str:
    timed = planned_iterations(study, summary)
    warmup = study.get("warmup", _largest(summary["n_warmup"]))
    host = run["host"]
    date = str(run["created"])[:10]
    return _SEPARATOR.join(
        [
            f"{count_of(timed, 'timed iteration')}{_in_blocks(study)} after {warmup} of warm-up",
            processor(host),
            date,
            f"study {run['study']}, run {run['run_id']}",
        ]
    )


def planned_iterations(study: Mapping[str, Any], summary: pd.DataFrame) -> int:
    """Timed iterations of each stack; more than the study says where the run went on."""
    return max(int(study.get("iterations", 0)), _largest(summary["n_timed"]))


def _in_blocks(study: Mapping[str, Any]) -> str:
    blocks = min(study.get("blocks", 1), study.get("iterations", 1))
    goes_on = " and more" if study.get("until_ci") else ""
    return f" in {blocks}{goes_on} blocks" if blocks > 1 else ""


def processor(host: Mapping[str, Any]) -> str:
    """The processor's name without its trade marks."""
    name = str(host.get("cpu") or "unknown processor")
    return " ".join(name.replace("(R)", "").replace("(TM)", "").split())


def _clock(summary: pd.DataFrame) -> str:
    errors, costs = [], []
    for row in summary.to_dict(orient="records"):
        if math.isfinite(row["ttft_own_error_ms"]):
            ttft, itl = (spell_error(row[f"{name}_own_error_ms"]) for name in ("ttft", "itl"))
            errors.append(f"{row['title']} TTFT {PLUS_MINUS} {ttft}, ITL {PLUS_MINUS} {itl}")
        if math.isfinite(row["callback_cost_ns"]):
            cost = spell_error(row["callback_cost_ns"] / NS_PER_MS)
            costs.append(f"{row['title']} {cost} a token")
    parts = []
    if errors:
        parts.append(f"The client's own error (median): {'; '.join(errors)}.")
    if costs:
        parts.append(f"What stamping costs: {'; '.join(costs)}.")
    return " ".join(parts)


def condition_warnings(
    conditions: pd.DataFrame, run: Mapping[Any, Any], *, is_synthetic: bool
) -> Iterator[str]:
    """What changes how the figures of a run may be read, by what its stacks ran under."""
    if is_synthetic:
        yield RANDOM_WARNING
    if any("tiny" in str(name).lower() for name in conditions["model"]):
        yield TINY_WARNING
    if count := run.get("damaged"):
        yield (
            f"The store is damaged: {count} {'row' if count == 1 else 'rows'} of this run are not "
            "what was written, and are left out. `polystack rescue` saves the others."
        )
    if run["status"] != "complete":
        yield f"This run is marked as {run['status']}: parts of it are missing."
    yield from resumed_words(run)
    allowed = marks(conditions, run)
    yield from allowed.values()
    for column, what in (
        ("model", "model"),
        ("precision", "precision"),
        ("device", "device"),
        ("threads", "number of threads"),
    ):
        # What a variant turns on purpose stands in its title.
        meant = [column in knobs_of(str(stack)) for stack in conditions["stack"]]
        plain = conditions.loc[[not one for one in meant], column]
        if plain.nunique() > 1 and column not in allowed:
            yield f"Not the same {what} for every stack: their figures do not compare."
    for row in conditions.to_dict(orient="records"):
        if warning := own_warning(row):
            yield f"{row['title']}: {warning}"


def _read_warnings(samples: pd.DataFrame, conditions: pd.DataFrame) -> Iterator[str]:
    for row in answers_at_once(samples, conditions).to_dict(orient="records"):
        yield at_once_warning(row["title"], row["n_at_once"], row["n"])


def _length_warnings(samples: pd.DataFrame) -> Iterator[str]:
    """That stacks ended their answers at different places, and what may be compared then."""
    measured = request_metrics(samples)
    if not uneven_runs(measured):
        return
    lengths = mean_lengths(measured).to_dict(orient="records")
    said = ", ".join(f"{row['title']} {spell_number(row['mean'])}" for row in lengths)
    yield (
        "Stacks' answers to one prompt have different lengths: their TPOT and tokens/s compare, "
        f"their E2E latency does not. Tokens of an answer, on average: {said}."
    )


def at_once_warning(name: str, count: int, answers: int) -> str:
    """That most of an answer came in one read of the connection, so its TTFT is none."""
    return (
        f"{name}: {count} of {answers} answers came at once, most of their tokens in the first "
        "read of the connection. Their TTFT is that of the whole answer, and TPOT says nothing."
    )


def own_warning(row: Mapping[Any, Any]) -> str:
    """What the calibration before a measurement warned of; empty: nothing, or it was not made."""
    error = row.get("client_error")
    return str(error["warning"]) if isinstance(error, Mapping) else ""


def _notes(samples: pd.DataFrame, summary: pd.DataFrame, study: Mapping[str, Any]) -> Iterator[str]:
    measured = request_metrics(samples)
    failed = measured[
        (measured["outcome"] == Outcome.FAILED.value) & ~measured["is_warmup"].astype(bool)
    ]
    for row in summary.to_dict(orient="records"):
        title, timed = row["title"], row["n_timed"]
        if struck_of(row):
            yield struck_note(row)
        planned = planned_iterations(study, summary)
        if row["error"]:
            came = f"ended after {timed} of {planned} iterations" if timed else "gave no result"
            yield f"{title} {came}: {shorten(row['error'])}"
        elif not timed:
            yield f"{title} gave no result."
        elif timed < planned:
            yield f"{title} ended after {timed} of {planned} iterations."
        if row["n_failed"]:
            mine = failed[failed["condition_id"] == row["condition_id"]]
            numbers = ", ".join(str(number) for number in mine["iteration"])
            yield (
                f"{title}: {row['n_failed']} of {timed} requests failed, left out "
                f"(iteration {numbers}): {shorten(mine['failure'].iloc[0])}"
            )
        if row["n_early_stops"]:
            yield (
                f"{title}: {row['n_early_stops']} of {timed} answers ended early, at an "
                "end-of-sequence token, and are left out of E2E latency."
            )


def each_once(values: Iterable[object]) -> str:
    """The different values in their order, as `a / b`."""
    return " / ".join(dict.fromkeys(str(value) for value in values))


def count_of(number: object, thing: str) -> str:
    """`1 thread`, `2 threads`."""
    return f"{number} {thing}" if str(number) == "1" else f"{number} {thing}s"


def _largest(counts: pd.Series[int]) -> int:
    return int(counts.max()) if len(counts) else 0


def span(counts: pd.Series[int], planned: object) -> str:
    """The counts that were seen: `48`, or `46-48` with an en dash; what was planned if none."""
    if counts.empty:
        return "?" if planned is None else str(planned)
    low, high = int(counts.min()), int(counts.max())
    return str(low) if low == high else f"{low}{TO}{high}"
