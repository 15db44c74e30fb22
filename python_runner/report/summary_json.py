"""`summary.json`: what a report says, for machines. Its schema is `schema/summary.schema.json`.

Units stand in the names (`e2e_ms`, `peak_memory_bytes`); what is not known is null and never 0.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd

from python_runner import __version__
from python_runner.analyse.attempts import attempts_of
from python_runner.analyse.compare import RunChange
from python_runner.analyse.fairness import fairness_pairs
from python_runner.analyse.network import network_figures
from python_runner.analyse.stages.breakdown import Stage
from python_runner.report.answers import struck_of
from python_runner.report.claims import ClaimsData
from python_runner.report.contents.findings import effects_of
from python_runner.report.contents.one import answer_of, marks_of
from python_runner.report.contents.reported import Reported, ReportedComparison, ReportedLoad
from python_runner.report.contents.several import steps_between

SCHEMA_VERSION = 1
"""Grows when a field changes its meaning or goes; a new field alone does not raise it."""

_RUN = ("run_id", "study", "created", "status", "program_version")
_HOST = ("cpu", "cores", "memory_bytes", "os", "architecture", "python")
_CONDITION = (
    *("stack", "title", "language", "reach", "version", "model", "model_label", "is_synthetic"),
    *("source_sha256", "precision", "device", "threads", "context", "slots", "template"),
    *("sampling", "prompt_cache", "error"),
)
_COUNTS = ("n", "n_timed", "n_failed", "n_early_stops", "n_suspended", "n_warmup")
_FIGURES = (
    *("e2e_ms", "e2e_low_ms", "e2e_high_ms", "e2e_min_ms", "e2e_p25_ms", "e2e_p75_ms"),
    *("e2e_max_ms", "ttft_ms", "tpot_ms", "decode_tokens_per_s", "output_tokens_per_s"),
    *("ratio_to_fastest", "ttft_own_error_ms", "itl_own_error_ms", "callback_cost_ns"),
    *("peak_memory_bytes", "output_tokens"),
)
_PAIR = (
    *("metric", "stack_left", "stack_right", "title_left", "title_right", "n_left", "n_right"),
    *("blocks", "ratio", "ratio_low", "ratio_high", "p", "p_holm", "cliffs_delta", "effect_size"),
    *("noise_floor", "floor_source", "verdict", "reason"),
)
_MEDIANS = ("median", "median_low", "median_high")
_FAIRNESS = ("key", "criterion", "left", "right", "equality", "left_fact", "right_fact")
_EFFECT = (
    *("key", "question", "change", "metric", "stack_left", "stack_right", "effect", "effect_low"),
    *("effect_high", "noise_floor", "verdict", "reason", "lack"),
)
_ANSWERS = (
    *("verdict", "reason", "reference", "answers", "unread", "tokens", "best_tokens"),
    *("near_ties", "far_tokens", "equal_tokens", "perplexity_ratio"),
)
_LEVEL = (
    *("stack", "title", "number", "arrivals", "users", "n", "n_requests", "n_warmup", "n_failed"),
    *("n_early_stops", "n_cut_off", "n_suspended", "tokens_per_s", "requests_per_s"),
    *("goodput_share", "goodput_per_s", "backlog_grows", "client_cpu_share", "lack", "error"),
)
_LATENCIES = ("ttft", "itl", "tpot", "e2e")
_PERCENTILES = (50, 90, 99)


def summary_json(runs: Sequence[Reported]) -> str:
    """All runs, each by itself, and what changed from the first comparison to each of the others.

    Raises:
        UsageError: as `steps_between`.
    """
    steps = steps_between(runs) if len(runs) > 1 else ()
    document = {
        "schema": "polystack.summary",
        "schema_version": SCHEMA_VERSION,
        "made_by": f"polystack {__version__}",
        "runs": [_run(run) for run in runs],
        "changes": [_change(step.before, step.after, step.change) for step in steps],
    }
    return json.dumps(_plain(document), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _run(run: Reported) -> dict[str, Any]:
    row, study = run.run, run.study
    own = _load(run) if isinstance(run, ReportedLoad) else _comparison(run)
    return {
        "kind": "load" if isinstance(run, ReportedLoad) else "comparison",
        **{name: row[name] for name in _RUN},
        "command": row.get("command") or None,
        "answer": list(answer_of(run)),
        "marks": list(marks_of(run)),
        "warnings": list(run.facts.warnings),
        "notes": list(run.facts.notes),
        "allowed_unfair": list(row.get("allowed_unfair") or ()),
        "resumed": _resumed(row.get("resumed")),
        "host": {name: row["host"].get(name) for name in _HOST},
        "study_as_kept": dict(study),
        **own,
    }


def _resumed(times: object) -> list[dict[str, Any]]:
    """Each time that the run went on; none where it was measured in one piece."""
    return [
        {
            "at": one["at"],
            "last_seen": one.get("last_seen") or None,
            "cut": list(one["cut"]),
            "tried_again": dict(one["again"]),
        }
        for one in (times if isinstance(times, list) else ())
    ]


def _comparison(run: ReportedComparison) -> dict[str, Any]:
    summary = run.data.summary.set_index("condition_id")
    stages = run.data.stages.set_index("condition_id").to_dict(orient="index")
    return {
        "stacks": [
            _stack(row, summary.loc[row["condition_id"]], stages.get(row["condition_id"]))
            for row in run.frames.conditions.to_dict(orient="records")
        ],
        "pairs": [row for pairs in run.pairs.values() for row in _pairs(pairs)],
        "prices_of_serving": _pairs(run.prices),
        "fairness": _fairness(run.frames.conditions),
        "ablations": [
            {"run_id": int(frames.runs["run_id"].iloc[0]), **{name: row[name] for name in _EFFECT}}
            for frames in (run.frames, *run.explaining)
            for row in effects_of(frames).to_dict(orient="records")
        ],
        "claims": _claims(run.claims),
    }


def _stack(
    row: Mapping[Any, Any], figures: Mapping[Any, Any], stages: Mapping[Any, Any] | None
) -> dict[str, Any]:
    return {
        **_condition(row),
        "struck_out": struck_of(row) or None,
        **{name: int(figures[name]) for name in _COUNTS},
        **{name: figures[name] for name in _FIGURES},
        "stages_ms": {stage.value: stages[stage.value] for stage in Stage} if stages else None,
        "request_ms": stages["request_ms"] if stages else None,
        "answers": _answers(row.get("answers")),
        "failed_attempts": attempts_of(row),
    }


def _condition(row: Mapping[Any, Any]) -> dict[str, Any]:
    build = {str(name): str(value) for name, value in (row["build"] or {}).items()}
    return {
        **{name: row[name] for name in _CONDITION},
        "error": row["error"] or None,
        "version": row["version"] or None,
        "load_s": row["load_seconds"],
        "build": build,
        "network": _network(row.get("network")),
    }


def _network(readings: Any) -> dict[str, Any] | None:
    """Of somebody else's server; None where no network lies between."""
    found = network_figures(readings)
    if found is None:
        return None
    return {**asdict(found), "error": found.error or None, "has_changed": found.has_changed}


def _answers(found: object) -> dict[str, Any] | None:
    if not isinstance(found, Mapping):
        return None
    return {
        **{name: found[name] for name in _ANSWERS},
        "mean_shortfall_nats": found["mean_shortfall"],
        "worst_shortfall_nats": found["worst_shortfall"],
        "mean_difference_nats": found["mean_difference"],
    }


def _pairs(pairs: pd.DataFrame) -> list[dict[str, Any]]:
    """All metrics are milliseconds; `verdict` is about the left stack."""
    return [
        {
            **{name: row[name] for name in _PAIR},
            **{
                f"{name}_{side}_ms": row[f"{name}_{side}"]
                for side in ("left", "right")
                for name in _MEDIANS
            },
            "confidence": 1 - float(row.get("alpha", 0.05)),
        }
        for row in pairs.to_dict(orient="records")
    ]


def _fairness(conditions: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {**{name: row[name] for name in _FAIRNESS}, "must_be_equal": bool(row["blocks"])}
        for row in fairness_pairs(conditions).to_dict(orient="records")
    ]


def _claims(data: ClaimsData | None) -> dict[str, Any] | None:
    if data is None:
        return None
    judgement = data.columns[0].judgement
    parts = [
        {name: value for name, value in part.items() if name != "run_id"}
        for part in judgement.records()
    ]
    return {
        "title": data.claims.title,
        "source": data.claims.source,
        "verdicts": {one.claim.id: one.verdict.value for one in judgement.judged},
        "marks": list(judgement.marks),
        "missing": list(judgement.missing),
        "parts": parts,
    }


def _load(run: ReportedLoad) -> dict[str, Any]:
    return {
        "targets_ms": dict(run.data.targets_ms),
        "stacks": [_condition(row) for row in run.data.conditions.to_dict(orient="records")],
        "fairness": _fairness(run.data.conditions),
        "levels": [_level(row) for row in run.data.levels.to_dict(orient="records")],
    }


def _level(row: Mapping[Any, Any]) -> dict[str, Any]:
    calibrated = row["client_error"]
    return {
        **{name: row[name] for name in _LEVEL},
        "users": None if pd.isna(row["users"]) else int(row["users"]),
        "rate_per_s": row["rate"],
        "lack": row["lack"] or None,
        "error": row["error"] or None,
        **{
            f"{name}_p{percentile}{part}": row[f"{name}_p{percentile}{part}"]
            for name in _LATENCIES
            for percentile in _PERCENTILES
            for part in ("_ms", "_low_ms", "_high_ms", "_sure", "_own_error_ms")
        },
        "client_error": dict(calibrated) if isinstance(calibrated, Mapping) else None,
    }


def _change(before: int, after: int, change: RunChange) -> dict[str, Any]:
    return {
        "before_run_id": before,
        "after_run_id": after,
        "other_machine": change.machine or None,
        "conditions": [
            {str(name): value for name, value in row.items()}
            for row in change.conditions.to_dict(orient="records")
        ],
        "speed": _pairs(change.speed),
        "not_judged": dict(change.not_judged),
    }


def _plain(value: Any) -> Any:
    """As JSON knows it: what is no finite number is null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if hasattr(value, "item"):  # a number of numpy's
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return None if value is pd.NA or value is pd.NaT else value
