"""What has been applied to people's files is never edited: a hash of the schema after each step."""

import sqlite3
from contextlib import closing
from hashlib import sha256

import pytest

from python_runner.store.schema import MIGRATIONS

PINNED = (
    "ae9db9cd3876e35d",  # create
    "e652fda53418b38e",  # add_loads
    "0ba189cd15e2011e",  # add_blocks
    "97de36c5eb075f11",  # add_resources
    "06377c98e5d0b171",  # add_fairness
    "512fa4516d60834c",  # add_answers
    "785cc2b5ef9a07bf",  # add_command
    "e1f7e628fbc0cc66",  # add_recoveries
    "565939c597644d46",  # add_following
    "2ceda75923904f23",  # add_network
    "d8c3ae96efe700e5",  # time
    "2fc360663a2e7c77",  # resuming
    "1c5090f593548a4a",  # attempts
    "02caa84fde09676a",  # add_sums
)
"""Of the tables after migration 1, 2, and so on. A new migration adds a line, and changes none."""


def schema_after(count: int) -> str:
    with closing(sqlite3.connect(":memory:")) as connection:
        for migration in MIGRATIONS[:count]:
            migration(connection)
        rows = connection.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall()
    words = " ".join(" ".join(f"{name} {sql}".split()) for name, sql in rows)
    return sha256(words.encode()).hexdigest()[:16]


@pytest.mark.parametrize("count", range(1, len(PINNED) + 1))
def test_an_applied_migration_is_not_edited(count: int) -> None:
    assert schema_after(count) == PINNED[count - 1]


def test_each_migration_is_pinned() -> None:
    assert len(PINNED) == len(MIGRATIONS), [
        schema_after(count) for count in range(len(PINNED) + 1, len(MIGRATIONS) + 1)
    ]
