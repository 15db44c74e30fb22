"""A shell script that can be started as a llamafile and is llama-server.

It proves what lies on our side: that the file is found, asked for its version and started
with its family's words, and that its process and its answers are handled. Of llamafile's own
code, its loader, its kernels and what 0.9 answers, it proves nothing.
"""

from __future__ import annotations

from pathlib import Path

from python_runner.common.progress import SilentProgress
from python_runner.engines.build.llamacpp import llama_cpp_prefix

_SCRIPT = """#!/bin/sh
if [ "$1" = --version ]; then
    echo "llamafile v{version}"
    exit 0
fi
is_server=no
is_old=no
left=$#
while [ "$left" -gt 0 ]; do
    case "$1" in
    --server) is_server=yes ;;
    --nobrowser) is_old=yes ;;
    --gpu) shift && left=$((left - 1)) ;;
    *) set -- "$@" "$1" ;;
    esac
    shift
    left=$((left - 1))
done
if [ "$is_server" = no ]; then
    echo "this would open a text interface" >&2
    exit 1
fi
if [ "$is_old" != {is_old} ]; then
    echo "error: unknown argument" >&2
    exit 1
fi
exec "{server}" "$@"
"""


def write_llamafile_script(folder: Path, *, version: str = "0.10.6") -> Path:
    """The script, which takes the words of that version's family. It need not be executable."""
    server = llama_cpp_prefix(SilentProgress()) / "bin" / "llama-server"
    script = folder / "script.llamafile"
    is_old = "yes" if version.startswith("0.9.") else "no"
    script.write_text(_SCRIPT.format(version=version, server=server, is_old=is_old))
    return script
