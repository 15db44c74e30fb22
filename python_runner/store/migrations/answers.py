"""Answers held against a reference."""

ANSWERS = """
CREATE TABLE answer_checks (
    check_id          INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id            INTEGER NOT NULL REFERENCES runs,
    created           TEXT NOT NULL,
    reference         TEXT NOT NULL,
    reference_title   TEXT NOT NULL,
    reference_version TEXT NOT NULL,
    build_json        TEXT NOT NULL,
    is_finished       INTEGER NOT NULL DEFAULT 0,
    error             TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE answer_stacks (
    check_id     INTEGER NOT NULL REFERENCES answer_checks,
    condition_id INTEGER REFERENCES conditions,
    bits         INTEGER,
    logprobs     BLOB NOT NULL DEFAULT x'',
    error        TEXT NOT NULL DEFAULT '',
    UNIQUE (check_id, condition_id)
) STRICT;

CREATE TABLE answers (
    check_id        INTEGER NOT NULL REFERENCES answer_checks,
    sample_id       INTEGER NOT NULL REFERENCES samples,
    tokens_from     TEXT NOT NULL,
    token_ids       BLOB NOT NULL,
    greedy_ids      BLOB NOT NULL,
    best_ids        BLOB NOT NULL,
    logprobs        BLOB NOT NULL,
    best_logprobs   BLOB NOT NULL,
    second_logprobs BLOB NOT NULL,
    error           TEXT NOT NULL,
    UNIQUE (check_id, sample_id)
) STRICT;
"""
