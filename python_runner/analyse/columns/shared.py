"""What the columns of both kinds of runs mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """What a column holds. `unit` is empty for texts, counts, ratios and yes or no."""

    meaning: str
    unit: str = ""
    label: str = ""
    """How axes name it; empty: as the column is called."""


Columns = Mapping[str, Column]

STACK: Columns = {
    "run_id": Column("number of the run"),
    "stack": Column("name of the stack, as --stacks takes it"),
    "title": Column("name of the stack, as charts show it", label="stack"),
    "language": Column("that the stack is written in"),
    "path": Column("embedded (in our process) or served (over HTTP)"),
}
MODEL: Columns = {
    "model": Column("name of the model"),
    "is_synthetic": Column("whether its weights are random"),
}
TERMS: Columns = {
    **MODEL,
    "precision": Column("of the weights, as the study asks for it"),
    "threads": Column("that compute"),
}
CONDITIONS: Columns = {
    "version": Column("of the stack"),
    **TERMS,
    "study": Column("what was run"),
    "created": Column("when the run began, UTC"),
    "run_status": Column("running, complete or interrupted"),
    "run_parts": Column("1; more where the run was interrupted and went on"),
    "program_version": Column("of polystack"),
    "allowed_unfair": Column("criteria in which stacks differ and were allowed to"),
    "host_cpu": Column("processor"),
    "host_cores": Column("physical cores"),
    "host_memory_bytes": Column("memory of the machine", "bytes"),
    "host_os": Column("operating system"),
    "host_python": Column("version of Python"),
    "model_label": Column("the model in words"),
    "source_sha256": Column("of the model's weights"),
    "device": Column("cpu, cuda or metal"),
    "context": Column("tokens that prompt and answer may have"),
    "slots": Column("requests that the stack works on at once"),
    "template": Column("how the prompt is put: raw or chat"),
    "sampling": Column("how tokens are chosen"),
    "prompt_cache": Column("how prompts were kept from being remembered"),
    "build": Column("flags and libraries (dictionary)"),
    "facts": Column("what fairness is judged by (dictionary)"),
    "client_error": Column("how far our own stamps are off (dictionary), or None"),
    "callback_cost_ns": Column("what stamping takes from an embedded stack, a token", "ns"),
    "load_seconds": Column("process start to ready, median of the visits", "s", "Time to ready"),
    "loads": Column("the same of each visit (list)", "s"),
    "peak_memory_bytes": Column("largest resident memory", "bytes", "Peak memory"),
    "stack_error": Column("why the stack ended before its time, or nothing"),
    "engine_timings": Column("what the engine says of itself (dictionary)"),
}
FIGURES: Columns = {
    "outcome": Column("complete, early stop, failed, suspended or no sample; a load: or cut off"),
    "failure": Column("why it failed or was suspended, or nothing"),
    "suspended_ns": Column("time within it in which something did not run; None: not known", "ns"),
    "suspended_by": Column("what did not run, and so why no figure holds, or nothing"),
    "started_s": Column("when it was sent or due, since the run's first", "s", "Time in the run"),
    "ttft_ms": Column("request sent (or due) to first token with content", "ms", "TTFT"),
    "tpot_ms": Column("time per output token after the first", "ms", "TPOT"),
    "itl_p50_ms": Column("median gap between two arrivals", "ms", "ITL (median of a request)"),
    "itl_max_ms": Column("largest gap between two arrivals", "ms", "ITL (largest of a request)"),
    "e2e_ms": Column("request sent (or due) to last token; complete only", "ms", "E2E latency"),
    "prompt_tokens": Column("of the prompt, as the stack counts them"),
    "output_tokens": Column("of the answer"),
    "stop": Column("why the answer ended"),
    "ended_ns": Column("end of the answer, monotonic clock of the run", "ns"),
    "text": Column("the answer"),
}
