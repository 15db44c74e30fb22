"""Stores for faults to happen to, and what must hold of what is read from them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from python_runner.store import Frames, LoadRunRecorder, RunRecorder, Store, read_frames
from python_runner.store.schema import MIGRATIONS
from tests.unit.builders import condition, generation, sample, study
from tests.unit.load_builders import FakeRequest, client_error, closed, finished, level_end

NAME = "polystack.sqlite"
RUNS = 3
SAMPLES = 40
"""Of each comparison; the last run is a load."""
REQUESTS = 8
Figures = dict[int, tuple[object, ...]]


def make_store(path: Path) -> Frames:
    """Two comparisons and a load, in a new file; what is read from it."""
    with Store(path) as store:
        for number in range(RUNS - 1):
            record_run(store, SAMPLES, first_ns=number * 10**12)
        with LoadRunRecorder(store, study(), {"cpu": "test"}) as recorder:
            recorder.begin(condition())
            recorder.begin_level(closed(users=3, new_tokens=4), client_error())
            recorder.record(finished([FakeRequest() for _ in range(REQUESTS)], start_ns=10**15))
            recorder.end_level(level_end())
            recorder.finish(peak_memory_bytes=5, error="")
        return read_frames(store)


def record_run(store: Store, samples: int, *, first_ns: int = 0) -> int:
    """A comparison of one stack; each sample has stamps of its own."""
    with RunRecorder(store, study(), {"cpu": "test"}) as recorder:
        recorder.begin(condition())
        for number in range(1, samples + 1):
            recorder.record(sample(number, generation(start_ns=first_ns + number * 10**9)))
        recorder.finish(peak_memory_bytes=1, error="")
    return recorder.run_id


def make_old_store(path: Path, version: int) -> None:
    """What a program of this schema version left: a run of one stack with two samples."""
    with closing(sqlite3.connect(path)) as connection:
        for migration in MIGRATIONS[:version]:
            migration(connection)
        connection.execute(f"PRAGMA user_version = {version}")
        connection.execute(
            "INSERT INTO runs (study, created, status, study_json, host_json, program_version)"
            " VALUES ('old', '2026-01-01T00:00:00+00:00', 'complete', '{}', '{}', '0.1')"
        )
        connection.execute(
            "INSERT INTO conditions (run_id, stack, title, language, reach, version, build_json,"
            " model, model_label, is_synthetic, source_sha256, precision, device, threads,"
            " context, template, sampling, prompt_cache, load_seconds) VALUES (1, 'x', 'X', 'C++',"
            " 'embedded', '1', '{}', 'm', 'M', 0, 'ab', 'bf16', 'cpu', 2, 512, 'raw', 'greedy',"
            " 'unique', 1.5)"
        )
        connection.executemany(
            "INSERT INTO samples (condition_id, iteration, is_warmup, prompt_text,"
            " reference_prompt_tokens, requested_tokens, requested_ns, chunk_ns, chunk_tokens,"
            " ended_ns, prompt_tokens, output_tokens, stop, text, engine_timings_json, error)"
            " VALUES (1, ?, 0, 'p', 1, 1, ?, x'0100000000000000', x'0100000000000000', ?, 1, 1,"
            " 'length', 't', '{}', '')",
            [(1, 100, 201), (2, 300, 402)],
        )
        connection.commit()


def samples_of(frames: Frames) -> Figures:
    """What figures are made from, by the number of the sample."""
    return {
        row["sample_id"]: (
            *(row["run_id"], row["stack"], row["iteration"], row["is_warmup"], row["text"]),
            *(row["requested_ns"], row["ended_ns"], tuple(row["chunk_ns"])),
            *(tuple(row["chunk_tokens"]), row["output_tokens"], row["stop"], row["error"]),
        )
        for row in frames.samples.to_dict(orient="records")
    }


def requests_of(frames: Frames) -> Figures:
    """The same of a load's requests."""
    names = ("run_id", "stack", "scheduled_ns", "sent_ns", "ended_ns", "text", "output_tokens")
    return {
        row["request_id"]: (*(row[name] for name in names), tuple(row["chunk_ns"]))
        for row in frames.load_requests.to_dict(orient="records")
    }


def rest_of(frames: Frames) -> dict[str, Figures]:
    """Runs, conditions and levels, each by its number."""
    tables = {
        "run_id": frames.runs.drop(columns=["damaged", "status"]),
        "condition_id": frames.conditions,
        "level_id": frames.load_levels,
    }
    return {
        key: {row[key]: (repr(row),) for row in table.to_dict(orient="records")}
        for key, table in tables.items()
    }


def assert_true(found: Frames, written: Frames) -> None:
    """Nothing in `found` is other than what was written; what lacks is said."""
    whole = {"samples": samples_of(written), "requests": requests_of(written), **rest_of(written)}
    read = {"samples": samples_of(found), "requests": requests_of(found), **rest_of(found)}
    for name, rows in read.items():
        assert rows.items() <= whole[name].items(), name
    if any(read[name].keys() != whole[name].keys() for name in whole):
        assert found.damage
