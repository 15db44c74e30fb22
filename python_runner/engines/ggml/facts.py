"""What every engine on ggml says of it, in the same words, so that tables can compare them."""

from __future__ import annotations

from collections.abc import Iterable

VERSION = "ggml version"
"""The fact in `EngineDescription.build` that says which ggml it is; others have none."""
LIBRARY = "library"
"""The fact that says which file of llama.cpp's library computes, below the folder of builds."""
DEFINES = "ggml defines"
THREADING = "threading"
WEIGHTS_FILE = "weights file"

OPENMP_THREADS = "OpenMP's threads, kept from token to token"
OWN_THREADS_KEPT = "ggml's own threads, kept from token to token"
OWN_THREADS_ANEW = "ggml's own threads, started anew for each token"
MAPPED = "mapped into memory"
READ = "read into memory"

_DEFINES = ("OPENMP", "REPACK", "LLAMAFILE")
"""What ggml reports as a feature and is no instruction set, and decides how it computes."""


def ggml_facts(
    *, version: str, features: str, keeps_threads: bool, is_mapped: bool | None
) -> dict[str, str]:
    """The facts of one engine.

    Args:
        version: number or commit; empty where it is not known.
        features: what ggml itself reports as compiled in, separated by spaces; empty where
            it was not asked.
        keeps_threads: whether it is handed a pool of threads that outlives a token.
        is_mapped: whether the file's pages are computed with as they are; None: not known.
    """
    on = set(features.split())
    facts = {VERSION: version or "not known"}
    if on:
        facts[DEFINES] = defines(on)
        facts[THREADING] = threading(on, keeps_threads=keeps_threads)
    if is_mapped is not None:
        facts[WEIGHTS_FILE] = MAPPED if is_mapped else READ
    return facts


def features_logged(text: str) -> str:
    """The features in the fact `instruction sets`; empty where the engine logged none."""
    return "" if text.startswith("not ") else text


def defines(features: Iterable[str]) -> str:
    """`OpenMP on, repacking off, llamafile's sgemm on`."""
    on = set(features)
    names = zip(("OpenMP", "repacking", "llamafile's sgemm"), _DEFINES, strict=True)
    return ", ".join(f"{name} {'on' if define in on else 'off'}" for name, define in names)


def threading(features: Iterable[str], *, keeps_threads: bool) -> str:
    """Who computes: with OpenMP, ggml leaves a pool that it is handed alone."""
    if "OPENMP" in set(features):
        return OPENMP_THREADS
    return OWN_THREADS_KEPT if keeps_threads else OWN_THREADS_ANEW
