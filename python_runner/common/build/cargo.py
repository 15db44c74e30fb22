"""The folder where cargo keeps what it has compiled, shared by all checkouts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from python_runner.common.build.cache import held
from python_runner.common.locations import cache_dir


@contextmanager
def cargo_target(product: str) -> Iterator[Path]:
    """The value of CARGO_TARGET_DIR, for whoever builds `product` and takes it away from there.

    Kept and shared, because an engine's crates compile for minutes and most of them stay the
    same when our own crate changes. Cargo's own lock ends with its last compiler, and what it
    made then lies under a name that every version of the crate shares: another checkout could
    put its own there before ours is copied, and it would be kept under our hash. So the
    product's name is held until the copy is made. Builds of different products do not wait.
    """
    folder = cache_dir() / "cargo-target"
    with held(folder.with_name(f"{folder.name}-{product}")):
        yield folder
