"""What holds for every test of a fault: it says what it does, and nothing is left after it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.contract.processes import no_process_left
from tests.faults.fault import NAME

_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test below a folder of this one without a `fault` is not collected: the page lacks it."""
    for item in items:
        is_ours = _HERE in item.path.parents and item.path.parent != _HERE
        if is_ours and item.get_closest_marker(NAME) is None:
            raise pytest.UsageError(f"{item.nodeid} does not say its fault: see {_HERE}/fault.py")


@pytest.fixture(autouse=True)
def nothing_is_left(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """No process, no listening port and no temporary file outlives the test.

    Temporary files of this process and of all that it starts go into a folder of the test's own.
    """
    folder = tmp_path_factory.mktemp("temporary")
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    ports = _listening()
    with no_process_left():
        yield
    assert _listening() <= ports, "a port is still listened on"
    left = sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
    assert not left, f"temporary files were left behind: {left}"


def _listening() -> set[int]:
    """Ports that this process listens on; those of children end with them."""
    found = psutil.Process().net_connections(kind="tcp")
    return {each.laddr.port for each in found if each.status == psutil.CONN_LISTEN}
