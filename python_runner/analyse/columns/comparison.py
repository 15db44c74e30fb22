"""What the columns of comparisons mean."""

from __future__ import annotations

from python_runner.analyse.columns.shared import (
    CONDITIONS,
    FIGURES,
    MODEL,
    STACK,
    TERMS,
    Column,
    Columns,
)

_REQUEST: Columns = {
    "iteration": Column("from 1; warm-up counts by itself", label="Iteration"),
    "block": Column("visit to the stack, from 1; each loads it anew", label="Block"),
    "is_warmup": Column("kept, and left out of every figure of a report"),
    "decode_tokens_per_s": Column("1000 / tpot_ms", "tokens/s", "Decoding"),
    "output_tokens_per_s": Column("output tokens / E2E latency", "tokens/s", "Output"),
    "requested_tokens": Column("that were asked for"),
    "requested_ns": Column("when it was sent, monotonic clock of the run", "ns"),
    "probe_compute_ns": Column("the machine's own noise before it: fixed computing", "ns"),
    "probe_memory_ns": Column("the same: fixed reading of memory", "ns"),
    "probe_elapsed_ns": Column("all rounds of both", "ns"),
    "probe_waited_ns": Column("of that, others had the processor", "ns"),
    "wall_jump_ns": Column("how far the wall clock was set within it; no figure uses it", "ns"),
    "resources": Column("CPU time, page faults, switches, energy (dictionary)"),
    "token_ids": Column("of the answer (list), or None"),
    "prompt_text": Column("the prompt"),
    "attempt": Column("at the request, from 1: all times are of this one alone", label="Attempt"),
    "struck": Column("why the stack's speed does not count (wrong answers), or nothing"),
}
_SIDE: Columns = {
    "run_id": Column("number of the run"),
    "stack": Column("name"),
    "title": Column("name, as charts show it"),
    "n": Column("timed requests with a value"),
    "median": Column("of the metric", "ms"),
    "median_low": Column("lower end of its 95 % interval", "ms"),
    "median_high": Column("upper end", "ms"),
}
_PAIR: Columns = {
    **{
        f"{name}_{side}": Column(f"{note.meaning}, {side} stack", note.unit)
        for side in ("left", "right")
        for name, note in _SIDE.items()
    },
    "metric": Column("what is compared: e2e_ms, ttft_ms or tpot_ms"),
    "blocks": Column("that both stacks have values in; only they enter the ratio"),
    "ratio": Column("left / right, over the blocks"),
    "ratio_low": Column("lower end of its interval (1 - alpha)"),
    "ratio_high": Column("upper end"),
    "p": Column("permutation test"),
    "p_holm": Column("the same, corrected for all pairs of the run and metric"),
    "design_effect": Column("iterations that were worth one independent one"),
    "cliffs_delta": Column("effect size; positive: the left has larger values"),
    "effect_size": Column("the same in a word"),
    "noise_floor": Column("relative difference that the machine alone explains"),
    "floor_source": Column("where it comes from"),
    "verdict": Column("faster, slower, no difference or not known: the left"),
    "reason": Column("why"),
    "alpha": Column("error that test and interval may have"),
    "is_synthetic": MODEL["is_synthetic"],
}
_SUMMARY: Columns = {
    **TERMS,
    "version": Column("of the stack"),
    "load_seconds": CONDITIONS["load_seconds"],
    "peak_memory_bytes": CONDITIONS["peak_memory_bytes"],
    "error": Column("why the stack ended before its time, or nothing"),
    "ttft_own_error_ms": Column("what our clock adds to a served stack's TTFT", "ms"),
    "itl_own_error_ms": Column("the same of ITL", "ms"),
    "callback_cost_ns": CONDITIONS["callback_cost_ns"],
    "struck": _REQUEST["struck"],
    "n": Column("complete timed requests"),
    "n_timed": Column("timed requests"),
    "n_failed": Column("of them failed"),
    "n_early_stops": Column("of them ended by the model"),
    "n_suspended": Column("of them: something did not run meanwhile"),
    "n_warmup": Column("requests of warm-up"),
    "e2e_low_ms": Column("lower end of the median's 95 % interval", "ms"),
    "e2e_high_ms": Column("upper end", "ms"),
    **{
        f"e2e_{name}_ms": Column(f"E2E latency, {name}", "ms")
        for name in ("min", "p25", "p75", "max")
    },
    **{
        name: Column(f"median; {note.meaning}", note.unit, note.label)
        for name, note in {**FIGURES, **_REQUEST}.items()
        if name in ("e2e_ms", "ttft_ms", "tpot_ms", "decode_tokens_per_s", "output_tokens_per_s")
    },
    "output_tokens": Column("mean of the complete answers"),
    "ratio_to_fastest": Column("e2e_ms over the smallest of the same run and path"),
}
_TOKEN: Columns = {
    "iteration": _REQUEST["iteration"],
    "is_warmup": _REQUEST["is_warmup"],
    "outcome": FIGURES["outcome"],
    "token_index": Column("from 1", label="Token of the answer"),
    "t_ms": Column("since the request was sent", "ms", "Time since the request"),
    "gap_ms": Column(
        "since the arrival before; none for the first and for shared ones", "ms", "ITL"
    ),
}
_STAGE: Columns = {
    "iteration": _REQUEST["iteration"],
    "is_warmup": _REQUEST["is_warmup"],
    "outcome": FIGURES["outcome"],
    "stage": Column("part of the request"),
    "ms": Column("its time; none if it cannot be told apart", "ms", "Time in the stage"),
    "share": Column("of request_ms"),
    "within": Column("the stage that its time is part of, if it cannot be told apart"),
    "request_ms": Column("request sent to end of its answer, text included", "ms"),
    "unattributed_ms": Column("the part of the rest that nothing is known of", "ms"),
}
_FAIRNESS: Columns = {
    "run_id": STACK["run_id"],
    "key": Column("criterion, as --allow-unfair takes it"),
    "criterion": Column("in words"),
    "blocks": Column("whether a difference stops a run"),
    "left": Column("name of a stack"),
    "right": Column("name of another one"),
    "equality": Column("equal, different or unknown"),
    "left_fact": Column("what holds for the left; None: not known"),
    "right_fact": Column("what holds for the right"),
}
_ANSWER: Columns = {
    **{name: STACK[name] for name in ("run_id", "stack", "title")},
    **MODEL,
    "precision": TERMS["precision"],
    "verdict": Column("on the stack's answers"),
    "reason": Column("why"),
    "reference": Column("what they were held against"),
    "iteration": _REQUEST["iteration"],
    "tokens_from": Column("where the token ids come from"),
    "error": Column("why it was not read, or nothing"),
    "tokens": Column("that were scored"),
    "best_tokens": Column("of them the reference's best"),
    "near_ties": Column("others within a near-tie"),
    "far_tokens": Column("others beyond one"),
    "sum_shortfall": Column("log-probability below the best, all tokens", "nats"),
    "worst_shortfall": Column("of the worst token", "nats"),
    "worst_place": Column("its place, from 1"),
    "equal_tokens": Column("at the same place in the reference's own answer"),
    "first_divergence": Column("first token that is not, from 1; none: all are equal"),
    "margin_there": Column("between the reference's two best tokens there", "nats"),
    "shortfall_there": Column("of the stack's token there", "nats"),
    "token_ids": Column("of the answer (list)"),
    "greedy_ids": Column("the reference's own (list)"),
    "shortfalls": Column("token by token (list)", "nats"),
}

COMPARISON: dict[str, Columns] = {
    "requests": {**STACK, **CONDITIONS, **FIGURES, **_REQUEST},
    "tokens": {**STACK, **MODEL, **_TOKEN},
    "stages": {**STACK, **MODEL, **_STAGE},
    "stacks": {**STACK, **_SUMMARY},
    "pairs": _PAIR,
    "fairness": _FAIRNESS,
    "answers": _ANSWER,
}
