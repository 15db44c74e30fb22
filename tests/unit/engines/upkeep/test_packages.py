"""Python packages: what is needed in turn, what is locked, how large it is."""

from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python_runner.engines.upkeep.packages import (
    locked_here,
    locked_packages,
    needed_packages,
    python_files,
    recorded_bytes,
    serving_files,
)


def install(site: Path, name: str, requires: Sequence[str] = (), record: str | None = "") -> None:
    folder = site / f"{name.replace('-', '_')}-1.0.dist-info"
    folder.mkdir(parents=True)
    lines = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0"]
    lines += [f"Requires-Dist: {each}" for each in requires]
    (folder / "METADATA").write_text("\n".join(lines) + "\n\n")
    if record is not None:
        (folder / "RECORD").write_text(record)


def found_in(site: Path, name: str) -> metadata.Distribution:
    for distribution in metadata.distributions(name=name, path=[str(site)]):
        return distribution
    raise metadata.PackageNotFoundError(name)


def names(site: Path, *requirements: str) -> tuple[set[str], tuple[str, ...]]:
    needed = needed_packages(requirements, lambda name: found_in(site, name))
    return set(needed.found), needed.missing


def test_what_is_needed_is_followed_to_the_end(tmp_path: Path) -> None:
    install(tmp_path, "server", ["Web_Frame>=1", "plain"])
    install(tmp_path, "web-frame", ["plain", "server"])  # a circle
    install(tmp_path, "plain")
    install(tmp_path, "other")
    assert names(tmp_path, "server") == ({"server", "web-frame", "plain"}, ())


def test_markers_of_other_platforms_do_not_count(tmp_path: Path) -> None:
    install(tmp_path, "a", ['b; sys_platform == "no such"', 'c; python_version >= "3"'])
    install(tmp_path, "b")
    install(tmp_path, "c")
    assert names(tmp_path, "a")[0] == {"a", "c"}


def test_extras_count_where_somebody_asks_for_them(tmp_path: Path) -> None:
    install(tmp_path, "a", ["b", 'c; extra == "serving"', 'd; extra == "other"'])
    for name in "bcd":
        install(tmp_path, name)
    assert names(tmp_path, "a")[0] == {"a", "b"}
    assert names(tmp_path, "a[serving]")[0] == {"a", "b", "c"}
    assert names(tmp_path, "a", "a[serving]")[0] == {"a", "b", "c"}


def test_what_is_not_installed_is_named(tmp_path: Path) -> None:
    install(tmp_path, "a", ["b", "c"])
    install(tmp_path, "b")
    assert names(tmp_path, "a") == ({"a", "b"}, ("c",))


@given(st.dictionaries(st.sampled_from("abcdef"), st.sets(st.sampled_from("abcdef"))))
def test_the_closure_is_closed(graph: Mapping[str, set[str]]) -> None:
    class Fake(metadata.Distribution):
        def __init__(self, needs: set[str]) -> None:
            self.needs = needs

        @property
        def requires(self) -> list[str]:
            return sorted(self.needs)

        def read_text(self, filename: str) -> str | None:
            return None

        def locate_file(self, path: object) -> Path:
            return Path(str(path))

    def find(name: str) -> metadata.Distribution:
        if name not in graph:
            raise metadata.PackageNotFoundError(name)
        return Fake(graph[name])

    needed = needed_packages(["a"], find)
    known = set(needed.found) | set(needed.missing)
    assert "a" in known
    assert all(graph[name] <= known for name in needed.found)
    assert not set(needed.missing) & graph.keys()


def test_sizes_are_those_of_the_record(tmp_path: Path) -> None:
    install(
        tmp_path,
        "a",
        record="a/__init__.py,sha256=x,100\n../../bin/a,sha256=y,23\na/x.pyc,,\nRECORD,,\n",
    )
    install(tmp_path, "b", record=None)
    assert recorded_bytes(found_in(tmp_path, "a")) == 123
    assert recorded_bytes(found_in(tmp_path, "b")) is None


def test_a_lock_names_its_packages_once() -> None:
    lock = (
        "a==1 \\\n    --hash=sha256:0\n    # via b\n"
        "B_c==2 ; python_version < '3.12' \\\nb-c==3 ; python_version >= '3.12' \\\n"
    )
    assert locked_packages(lock) == {"a", "b-c"}


def test_of_a_lock_file_for_all_platforms_those_for_this_one_are_counted() -> None:
    lock = """a==1.0 \\
    --hash=sha256:00 \\
    # via b
b-c==2.0 ; sys_platform == 'no such thing' \\
    --hash=sha256:11
D.e==3.0 ; python_full_version >= '3'
"""
    assert locked_here(lock) == {"a", "d-e"}


def test_a_standard_library_is_shipped_without_what_no_server_needs(tmp_path: Path) -> None:
    for name in ("os.py", "json/decoder.py", "test/test_os.py", "json/__pycache__/decoder.pyc"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    for name in ("site-packages/numpy.py", "config-3.11/libpython.a", "lib-dynload/_json.so"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    found = {path.relative_to(tmp_path).as_posix() for path in serving_files(tmp_path)}
    assert found == {"os.py", "json/decoder.py", "lib-dynload/_json.so"}


@pytest.mark.parametrize("part", ["os.py", "json"])
def test_this_python_has_a_standard_library(part: str) -> None:
    assert any(part in path.parts for path in python_files())
