"""From what is declared to figures, on made-up trees."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from python_runner.common.build.cache import RECIPE
from python_runner.common.build.times import BuildTime, keep_time
from python_runner.common.errors import SetupError
from python_runner.engines.table import engine
from python_runner.engines.upkeep import Built, Inventory, Upkeep, collect, facts_of
from python_runner.engines.upkeep.collect import figures_of, files_in
from python_runner.engines.upkeep.declared import Brought
from python_runner.engines.upkeep.fact import BUILD, DEPENDENCIES, DEPLOYED, OWN_LINES, UNITS

TAKEN = BuildTime(wall_s=12.5, cpu_s=20.0, cores=2, created="2026-01-02T03:04:05+00:00")
DECLARED = Upkeep(
    own=("engines/mine.py",),
    builds=(Built(name="thing", ships=("bin/thing", "lib/*.so*")),),
    compiled_in=("pinned",),
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout, and a build."""
    for name, text in (
        ("engines/mine.py", "# mine\nx = 1\n"),
        ("requirements/polystack.txt", "numpy==2 \\\n"),
        ("requirements/llama-cpp-source.txt", "pinned==1 --hash=sha256:0\n"),
        (f"builds/thing-0123/{RECIPE}", "{}"),
        ("builds/thing-0123/bin/thing", "x" * 1000),
        ("builds/thing-0123/bin/other", "x" * 5000),
        ("builds/thing-0123/lib/libthing.so.1", "x" * 200),
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "builds/thing-0123/lib/libthing.so").symlink_to("libthing.so.1")
    return tmp_path


def inventory(root: Path, declared: Upkeep = DECLARED) -> Inventory:
    return Inventory(
        declared=declared,
        used=(root / "builds/thing-0123", root / "builds/thing-more-4567"),
        root=root,
        stack="mine",
    )


def test_a_built_stack_has_all_figures(root: Path) -> None:
    keep_time(root / "builds/thing-0123", TAKEN)
    found = figures_of(inventory(root))
    assert {figure: each.value for figure, each in found.items()} == {
        BUILD: 12.5,
        DEPLOYED: 1200.0,
        DEPENDENCIES: 1.0,
        OWN_LINES: 1.0,
    }
    assert all(each.source and not each.why_unknown for each in found.values())
    assert found.keys() == UNITS.keys()


def test_a_link_is_no_second_file(root: Path) -> None:
    names = [path.name for path in files_in(root / "builds/thing-0123", ("lib/*.so*",))]
    assert names == ["libthing.so.1"]


def test_a_build_from_before_times_were_kept_is_not_known(root: Path) -> None:
    found = figures_of(inventory(root))[BUILD]
    assert math.isnan(found.value)
    assert "before times were kept" in found.why_unknown
    assert "--stacks mine" in found.why_unknown


def test_what_compilers_had_kept_is_said(root: Path) -> None:
    cargo = replace(DECLARED, builds=(replace(DECLARED.builds[0], compiler_cache="cargo"),))
    keep_time(root / "builds/thing-0123", TAKEN)
    assert "what cargo had kept" in figures_of(inventory(root, cargo))[BUILD].source
    keep_time(root / "builds/thing-0123", replace(TAKEN, from_nothing=True))
    assert "from nothing" in figures_of(inventory(root, cargo))[BUILD].source


def test_a_busy_machine_is_said(root: Path) -> None:
    keep_time(root / "builds/thing-0123", replace(TAKEN, load_before=8.0))
    assert "busy" in figures_of(inventory(root))[BUILD].source


def test_what_is_not_built_has_no_size_and_still_has_lines(root: Path) -> None:
    (root / "builds/thing-0123" / RECIPE).unlink()
    found = figures_of(inventory(root))
    for figure in (BUILD, DEPLOYED):
        assert math.isnan(found[figure].value)
        assert found[figure].why_unknown == "not built yet: thing"
    assert found[OWN_LINES].value == 1.0


def test_a_stack_for_which_nothing_is_compiled_takes_no_time(root: Path) -> None:
    found = figures_of(inventory(root, Upkeep(own=("engines/mine.py",), needs_python=True)))
    assert found[BUILD].value == 0.0
    assert found[DEPLOYED].value > 1e6  # Python itself
    assert found[DEPENDENCIES].value == 0.0


def test_what_is_in_no_lock_file_is_not_counted_as_if_it_were(root: Path) -> None:
    loose = replace(DECLARED, compiled_in=("pinned", "loose"))
    found = figures_of(inventory(root, loose))[DEPENDENCIES]
    assert math.isnan(found.value)
    assert "loose" in found.why_unknown


def test_a_package_that_is_not_installed_makes_size_and_number_unknown(root: Path) -> None:
    wanting = Upkeep(own=("engines/mine.py",), needs_python=True, packages=("no-such-package",))
    found = figures_of(inventory(root, wanting))
    for figure in (DEPLOYED, DEPENDENCIES):
        assert math.isnan(found[figure].value)
        assert "no-such-package" in found[figure].why_unknown


def test_what_a_user_brings_is_measured_and_not_timed(root: Path) -> None:
    brought = Upkeep(
        own=("engines/mine.py",),
        brought=Brought(find=lambda: (root / "builds/thing-0123/bin",)),
    )
    found = figures_of(inventory(root, brought))
    assert found[DEPLOYED].value == 6000.0
    assert math.isnan(found[BUILD].value)
    assert math.isnan(found[DEPENDENCIES].value)


def test_what_a_user_has_not_brought_is_not_known(root: Path) -> None:
    def find() -> tuple[Path, ...]:
        raise SetupError("there is none")

    brought = Upkeep(own=("engines/mine.py",), brought=Brought(find=find))
    assert figures_of(inventory(root, brought))[DEPLOYED].why_unknown == "there is none"


def test_a_plug_in_that_declares_nothing_is_unknown_and_not_zero(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(collect, "upkeep_of", lambda _: None)
    facts = facts_of("a plug-in", engine("mock-go"))
    assert {fact.figure for fact in facts} == UNITS.keys()
    assert all(math.isnan(fact.value) for fact in facts)
    assert all("does not declare" in fact.why_unknown for fact in facts)
