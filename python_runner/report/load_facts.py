"""The words that stand beside every figure of a load."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from python_runner.analyse.fairness import marks
from python_runner.analyse.load.percentiles import fewest_for
from python_runner.measure.load.level import Arrivals
from python_runner.report.facts import (
    RunFacts,
    condition_warnings,
    count_of,
    each_once,
    model_label,
    processor,
    shorten,
    span,
)
from python_runner.report.load_data import LoadData, load_words
from python_runner.report.load_warnings import (
    at_once_warnings,
    over_slots_warnings,
    own_warnings,
    places,
    refused_warnings,
)
from python_runner.report.units import TO, spell_error, spell_share, spell_time
from python_runner.report.words.network import network_notes
from python_runner.report.words.time import load_time_notes

_SEPARATOR = " · "
_LATE_SHARE = 0.05
_LATE_MS = 1.0
_ENGINE_DIFFERENCE = 0.05
_LONGEST_EXAMPLE = 90


def load_facts(data: LoadData) -> RunFacts:
    """Put the conditions of a load into words."""
    is_synthetic = bool(data.conditions["is_synthetic"].any())
    return RunFacts(
        run_id=int(data.run["run_id"]),
        model=model_label(data.conditions) or each_once(data.study.get("model", ["no model"])),
        is_synthetic=is_synthetic,
        work=_work(data),
        course=_course(data),
        warnings=tuple(_warnings(data, is_synthetic=is_synthetic)),
        notes=tuple(_notes(data)),
        clock=_clock(data.levels),
    )


def _work(data: LoadData) -> str:
    conditions, workload = data.conditions, data.study.get("workload", {})
    answered = data.figures[data.figures["ttft_ms"].notna()]
    prompts = answered.loc[answered["prompt_tokens"] >= 0, "prompt_tokens"]
    answers = answered["tokens"].dropna().astype(int)
    tokens = [
        f"{span(prompts, workload.get('prompt_tokens'))} prompt tokens",
        f"{span(answers, workload.get('new_tokens'))} new tokens",
    ]
    if conditions.empty:
        return _SEPARATOR.join(["no stack was started", *tokens])
    if (conditions["threads"] == 0).all():
        return _SEPARATOR.join(["how the server runs is not known", *tokens])
    return _SEPARATOR.join(
        [
            each_once(conditions["precision"]),
            each_once(conditions["device"]).replace("cpu", "CPU"),
            count_of(each_once(conditions["threads"]), "thread"),
            count_of(each_once(conditions["slots"]), "slot"),
            *tokens,
            f"{each_once(conditions['sampling'])}, {each_once(conditions['template'])} prompt",
        ]
    )


def _course(data: LoadData) -> str:
    return _SEPARATOR.join(
        [
            *_loop_words(data),
            processor(data.run["host"]),
            str(data.run["created"])[:10],
            f"study {data.run['study']}, run {data.run['run_id']}",
        ]
    )


def _loop_words(data: LoadData) -> Iterator[str]:
    levels = data.levels
    if levels.empty:
        yield "no load was put on"
        return
    kinds = {
        Arrivals.CLOSED.value: "closed loop",
        Arrivals.CONSTANT.value: "open loop, constant arrivals",
        Arrivals.POISSON.value: "open loop, Poisson arrivals",
    }
    yield each_once(kinds[name] for name in levels["arrivals"])
    limits = []
    if levels["requests"].notna().any():
        limits.append(f"{span(levels['requests'].dropna().astype(int), None)} requests")
    if levels["duration_s"].notna().any():
        limits.append(f"{each_once(f'{value:g}' for value in levels['duration_s'].dropna())} s")
    yield f"{' or '.join(limits)} a level, {each_once(levels['warmup'])} of them warm-up"
    if (levels["ramp_s"] > 0).any():
        yield f"ramp of {each_once(f'{value:g}' for value in levels['ramp_s'])} s"


def _clock(levels: pd.DataFrame) -> str:
    known = levels[levels["ttft_p50_own_error_ms"].notna()]
    if levels.empty:
        return ""
    if known.empty:
        return "The client's own error was not measured."
    parts = [
        f"{name} {_error_span(known[f'{figure}_p50_own_error_ms'])} "
        f"(p99 {_error_span(known[f'{figure}_p99_own_error_ms'])})"
        for figure, name in (("ttft", "TTFT"), ("itl", "ITL"))
    ]
    rest = "" if len(known) == len(levels) else " It was not measured for every level."
    return (
        "The client's own error, by a server whose truth is known, at as many streams: "
        f"{', '.join(parts)}.{rest}"
    )


def _error_span(errors: pd.Series[float]) -> str:
    low, high = spell_error(float(errors.min())), spell_error(float(errors.max()))
    if low == high:
        return low
    (number, unit), (_, last_unit) = low.split(" "), high.split(" ")
    return f"{number if unit == last_unit else low}{TO}{high}"


def _warnings(data: LoadData, *, is_synthetic: bool) -> Iterator[str]:
    yield from condition_warnings(data.conditions, data.run, is_synthetic=is_synthetic)
    if data.conditions["slots"].nunique() > 1 and "slots" not in marks(data.conditions, data.run):
        yield "Not the same number of slots for every stack: their figures do not compare."
    yield from own_warnings(data.levels)
    yield from at_once_warnings(data.levels)
    yield from over_slots_warnings(data.levels, data.conditions)
    yield from refused_warnings(data.levels, data.errors)
    for row in data.levels.to_dict(orient="records"):
        name = f"{row['title']}, {load_words(row)}"
        if row["backlog_grows"]:
            yield (
                f"{name}: the server does not keep up. {row['backlog_start']} requests were open "
                f"when the window began and {row['backlog_end']} when it ended, so latencies grow "
                "with the length of the run."
            )
        late = row["lateness_p99_ms"]
        if late > max(_LATE_MS, _LATE_SHARE * row["ttft_p50_ms"]):
            yield (
                f"{name}: the client was late. It sent 1 request in 100 {spell_time(late)} or more "
                f"after it was due{_over(data.figures, row)}; that time is part of TTFT and E2E "
                "latency."
            )


def _over(figures: pd.DataFrame, row: Mapping[Any, Any]) -> str:
    """Over how many connections an open loop was sent: too few may be why it was late."""
    if row["arrivals"] == Arrivals.CLOSED.value:
        return ""
    used = figures.loc[figures["level_id"] == row["level_id"], "user"]
    return f", over {used[used >= 0].nunique():,} connections"


def _notes(data: LoadData) -> Iterator[str]:
    for row in data.conditions.to_dict(orient="records"):
        if row["error"]:
            has_level = (data.levels["condition_id"] == row["condition_id"]).any()
            came = "ended before its time" if has_level else "gave no result"
            yield f"{row['title']} {came}: {shorten(row['error'])}"
    for row in data.levels.to_dict(orient="records"):
        yield from _level_notes(row, data.errors[data.errors["level_id"] == row["level_id"]])
        mine = data.figures[data.figures["level_id"] == row["level_id"]]
        yield from load_time_notes(row, f"{row['title']}, {load_words(row)}", mine)
    yield from _too_few(data.levels)
    for _, mine in data.levels.groupby("condition_id", sort=False):
        yield from _chunk_notes(mine)
        yield from _connection_note(mine)
        yield from _engine_note(mine)
    least = data.measured.groupby("condition_id")["ttft_p50_ms"].first()
    yield from network_notes(data.conditions, {int(str(key)): ms for key, ms in least.items()})


def _level_notes(row: Mapping[Any, Any], errors: pd.DataFrame) -> Iterator[str]:
    name = f"{row['title']}, {load_words(row)}"
    if row["error"]:
        yield f"{name}: broken off, {shorten(row['error'])}"
    if row["lack"]:
        whole = "; its figures are those of the whole level" if row["n_requests"] else ""
        yield f"{name}: no steady state, {row['lack']}{whole}."
    if row["n_failed"]:
        of_all = f"{row['n_failed']} of {row['n_requests']} requests failed"
        yield f"{name}: {of_all}. {error_list(errors)}"
    if row["n_early_stops"]:
        yield (
            f"{name}: {row['n_early_stops']} of {row['n_requests']} answers were ended by the "
            "model, and are left out of E2E latency."
        )
    if row["n_cut_off"]:
        yield f"{name}: {row['n_cut_off']} requests were cut off at the end, and are left out."
    if row["n_uncounted"]:
        yield f"{name}: nobody counted the tokens of {row['n_uncounted']} answers; TGR lacks them."


def error_list(errors: pd.DataFrame) -> str:
    """`16 status 429: try again; 1 timeout`: kinds of errors with an example of each."""
    return "; ".join(_error_words(row) for row in errors.to_dict(orient="records"))


def _error_words(error: Mapping[Any, Any]) -> str:
    kind = f"status {error['status']}" if error["kind"] == "status" else error["kind"]
    example = shorten(str(error["example"]), _LONGEST_EXAMPLE)
    return f"{error['count']} {kind}{': ' if example else ''}{example}"


def _too_few(levels: pd.DataFrame) -> Iterator[str]:
    """Which percentiles stand on too few requests, in one sentence for each percentile."""
    for percentile in (50, 90, 99):
        measured = levels[levels["ttft_p50_ms"].notna()]
        unsure = measured[~measured[f"ttft_p{percentile}_sure"].astype(bool)]
        if unsure.empty:
            continue
        where = "everywhere" if len(unsure) == len(measured) else f"at {places(unsure)}"
        yield (
            f"p{percentile} takes {fewest_for(percentile)} requests to be sure of. There are fewer "
            f"(~ in the table, pale in pictures) {where}."
        )


def _chunk_notes(levels: pd.DataFrame) -> Iterator[str]:
    title = levels["title"].iloc[0]
    if (levels["chunk_is_not_token_share"] > 0).any():
        size = float(levels["tokens_per_chunk"].median())
        yield (
            f"{title}: a chunk is not a token ({size:.2g} tokens a chunk), so ITL is the gap "
            "between chunks; TPOT counts tokens."
        )
    if (levels["unknown_gap_share"] > 0).any():
        shares = levels["unknown_gap_share"].dropna()
        low, high = spell_share(float(shares.min())), spell_share(float(shares.max()))
        share = low if low == high else f"{low}{TO}{high}"
        yield (
            f"{title}: {share} of the chunks came in one read with the one before. Their gaps are "
            "not known, and left out of ITL."
        )
    if (levels["reasoning_share"] > 0).any():
        share = spell_share(float(levels["reasoning_share"].mean()))
        yield f"{title}: {share} of the chunks are reasoning, and count as content."


def _connection_note(levels: pd.DataFrame) -> Iterator[str]:
    opened = levels[levels["n_connects"] > 0]
    if opened.empty:
        return
    took, tls = (float(opened[f"{name}_p50_ms"].max()) for name in ("connect", "tls"))
    of_it = f", {spell_error(tls)} of it TLS" if tls else ""
    part = "part of" if (opened["arrivals"] != Arrivals.CLOSED.value).any() else "not in"
    yield (
        f"{opened['title'].iloc[0]}: {opened['n_connects'].sum():,} requests had to open a "
        f"connection (median up to {spell_error(took)}{of_it}); that is {part} TTFT."
    )


def _engine_note(levels: pd.DataFrame) -> Iterator[str]:
    timed = levels[levels["n_engine_times"] > 0]
    if timed.empty:
        return
    shares = (timed["decode_difference_ms"] / timed["engine_decode_ms"]).to_numpy(dtype=np.float64)
    worst = timed.iloc[int(np.abs(shares).argmax())]
    if abs(float(np.abs(shares).max())) < _ENGINE_DIFFERENCE:
        return
    difference = float(worst["decode_difference_ms"])
    yield (
        f"{worst['title']}, {load_words(worst.to_dict())}: from first token to last our clock saw "
        f"{spell_time(abs(difference))} {'more' if difference > 0 else 'less'} than the engine's "
        f"own {spell_time(float(worst['engine_decode_ms']))}."
    )
