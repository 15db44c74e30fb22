"""A damaged file: what is wrong is said, no figure in it is shown that was not measured."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from python_runner.common.errors import StoreError
from python_runner.store import Frames, Store, read_frames
from python_runner.store.rescue import Rescued, rescue
from tests.faults.fault import fault
from tests.faults.store.stores import (
    NAME,
    REQUESTS,
    SAMPLES,
    assert_true,
    make_store,
    record_run,
    samples_of,
)
from tests.unit.cli.conftest import Polystack, polystack

__all__ = ["polystack"]
SHORT = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
LONG = settings(SHORT, max_examples=500)
spots = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1, max_size=5
)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, Frames]:
    """A whole file, and what is read from it."""
    path = tmp_path_factory.mktemp("whole") / NAME
    frames = make_store(path)
    return path.read_bytes(), frames


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return tmp_path / "results"


def flipped(content: bytes, where: list[tuple[float, int]]) -> bytes:
    """The file with bits turned at these places (shares of its length)."""
    found = bytearray(content)
    for share, bits in where:
        found[int(share * len(found))] ^= bits
    return bytes(found)


def read_or_refuse(path: Path, frames: Frames) -> None:
    """What is read is true; or the store says that it cannot be read."""
    with suppress(StoreError), Store(path, create=False) as store:
        assert_true(read_frames(store), frames)


def rescue_or_refuse(path: Path, frames: Frames) -> Rescued | None:
    before = path.read_bytes()
    try:
        saved = rescue(path, path.parent / "rescued")
    except StoreError:
        assert not (path.parent / "rescued").exists()
        return None
    finally:
        assert path.read_bytes() == before
    with Store(saved.path, create=False) as store:
        store.check_pages()
        found = read_frames(store)
    assert not found.damage
    if saved.is_proven:
        lost = {table.name: table.lost or table.may_have_more for table in saved.tables}
        assert samples_of(found).items() <= samples_of(frames).items()
        assert len(found.samples) == 2 * SAMPLES or lost["samples"]
        whole = found.runs.loc[found.runs["status"] == "complete", "run_id"]
        kept = found.samples.groupby("run_id").size().to_dict()
        assert all(kept.get(run, REQUESTS) in (SAMPLES, REQUESTS) for run in whole)
    return saved


def try_flips(content: bytes, frames: Frames, where: list[tuple[float, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / NAME
        path.write_bytes(flipped(content, where))
        read_or_refuse(path, frames)
        path.write_bytes(flipped(content, where))
        rescue_or_refuse(path, frames)


@fault(
    "bytes of the store flip, anywhere",
    injected="1 to 5 bytes of the file changed at random places, 40 times",
    seen="the store is damaged, and `polystack rescue`; or how many rows of a run are left out",
    kept="every row that is what was written; never another figure",
)
@SHORT
@given(where=spots)
def test_no_flipped_byte_becomes_a_figure(
    written: tuple[bytes, Frames], where: list[tuple[float, int]]
) -> None:
    try_flips(*written, where)


@pytest.mark.soak
@fault(
    "bytes of the store flip, anywhere",
    injected="the same, 500 times",
    seen="the same",
    kept="the same",
)
@LONG
@given(where=spots)
def test_no_flipped_byte_becomes_a_figure_in_hundreds(
    written: tuple[bytes, Frames], where: list[tuple[float, int]]
) -> None:
    try_flips(*written, where)


@fault(
    "a stamp on the disk is another number",
    injected="one bit of a sample's stamps is turned in the file",
    seen="`polystack show`: 1 row of this run is not what was written, and is left out",
    kept="all other samples; `polystack rescue` saves them and marks the run as interrupted",
)
def test_a_turned_bit_in_a_stamp_is_left_out_and_said(
    written: tuple[bytes, Frames], results: Path, polystack: Polystack
) -> None:
    content, frames = written
    stamp = frames.samples.iloc[3]["chunk_ns"].tobytes()
    place = content.index(stamp)
    results.mkdir()
    (results / NAME).write_bytes(content[:place] + bytes([stamp[0] ^ 4]) + content[place + 1 :])
    with Store(results / NAME, create=False) as store:
        store.check_pages()  # SQLite sees nothing
        found = read_frames(store)
        assert_true(found, frames)
    assert len(found.samples) == 2 * SAMPLES - 1
    assert found.runs["damaged"].tolist() == [1, 0, 0]
    shown = polystack("show", "1")
    assert shown.code == 0
    assert "1 row of this run" in " ".join(shown.out.split())
    assert "not what was written" in " ".join(shown.out.split())
    assert "1 row of run 1" in polystack("runs").out
    done = polystack("rescue")
    assert done.code == 0
    assert f"samples: {2 * SAMPLES - 1} rows saved, 1 lost" in done.out
    assert "polystack resume 1 --results" in done.out
    with Store(results / "rescued-1" / NAME, create=False) as store:
        assert read_frames(store).runs["status"].tolist() == [
            *("interrupted", "complete", "complete")
        ]


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 7 // 8 + 17])


def zero_header(path: Path) -> None:
    path.write_bytes(bytes(100) + path.read_bytes()[100:])


def destroy_a_page(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-8192:-4096] = b"\xff" * 4096
    path.write_bytes(content)


@pytest.mark.parametrize(
    "harm",
    [
        pytest.param(
            harm,
            id=harm.__name__,
            marks=fault(
                what,
                injected=how,
                seen="the store is damaged, what is wrong, and `polystack rescue FILE`; code 7",
                kept="what can be read, in a new store, with the count of what is lost; "
                "the damaged file as it is",
            ),
        )
        for harm, what, how in (
            (truncate, "the end of the store is missing", "an eighth of the file cut off"),
            (zero_header, "the store's header is gone", "the first 100 bytes overwritten"),
            (destroy_a_page, "a page of the store is unreadable", "4,096 bytes overwritten"),
        )
    ],
)
def test_what_can_be_saved_is_saved(
    harm: Callable[[Path], None],
    written: tuple[bytes, Frames],
    results: Path,
    polystack: Polystack,
) -> None:
    content, frames = written
    results.mkdir()
    path = results / NAME
    path.write_bytes(content)
    harm(path)
    before = path.read_bytes()
    refused = polystack("compare", "demo", "--stacks", "mock-cpp", "--iterations", "1")
    assert refused.code == StoreError.exit_code
    assert f"polystack rescue {path}" in " ".join(refused.err.split())
    saved = rescue_or_refuse(path, frames)
    assert saved is not None
    assert saved.is_proven
    assert sum(table.saved for table in saved.tables) > 0
    assert path.read_bytes() == before
    done = polystack("rescue")
    assert done.code == 0
    assert "samples:" in done.out
    listed = polystack("runs", "--results", str(results / "rescued-1"))
    assert listed.code == 0


@fault(
    "a write-ahead log of another store lies beside this one",
    injected="the log of a second store, of a program that was killed, copied beside the first",
    seen="the store is damaged, or rows are left out, with their count",
    kept="no row of the other store is taken for one of this; `polystack rescue` saves those "
    "of this one",
)
def test_another_stores_log_brings_no_sample(written: tuple[bytes, Frames], tmp_path: Path) -> None:
    content, frames = written
    other = tmp_path / "other" / NAME
    make_store(other)
    store = Store(other)
    try:
        record_run(store, 3, first_ns=5 * 10**15)
        log = other.with_name(f"{NAME}-wal").read_bytes()
    finally:
        store.close()
    assert log
    path = tmp_path / NAME
    for attempt in (read_or_refuse, rescue_or_refuse):
        path.write_bytes(content)
        path.with_name(f"{NAME}-wal").write_bytes(log)
        path.with_name(f"{NAME}-shm").unlink(missing_ok=True)
        attempt(path, frames)


@fault(
    "the write-ahead log of a killed run is lost",
    injected="the log beside the store of a run that goes on is not copied with it",
    seen="the store as it was when the log was last folded in",
    kept="all that the file itself holds; nothing is made up",
)
def test_a_lost_log_leaves_what_the_file_holds(tmp_path: Path) -> None:
    path, copy = tmp_path / "a" / NAME, tmp_path / "b" / NAME
    frames = make_store(path)
    with Store(path) as store:
        record_run(store, 3)
        copy.parent.mkdir()
        shutil.copyfile(path, copy)
    read_or_refuse(copy, frames)
    with Store(copy, create=False) as store:
        assert store.run_ids() == [1, 2, 3]
