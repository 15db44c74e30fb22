"""Make the shipped sample of a run: `just sample` calls this with a folder of results.

The sample is a store with one run, packed into one file that needs no other beside it. What a
store keeps of the machine is its processor, memory and system; a path of the maker's would be a
mistake of the engine that told it, and stops this.
"""

from __future__ import annotations

import platform
import re
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from python_runner.common.errors import PolystackError, UsageError
from python_runner.common.locations import cache_dir, source_root
from python_runner.notebook.places import SAMPLE_FILE
from python_runner.store import Store

_PATH_OF_A_USER = re.compile(rb"/(?:home|root|Users|tmp)/[\w./-]*")
_LARGEST_BYTES = 600_000
_SHORTEST_NAME = 4
"""Of a host: shorter ones stand in any text by chance."""


def make_sample(results: Path, target: Path = SAMPLE_FILE) -> Path:
    """Pack the one run in `results` into `target`.

    Raises:
        UsageError: there is not just one complete run, it is too large, or it has a path of
            this machine in it.
    """
    with Store(results / "polystack.sqlite", create=False) as store:
        rows = store.connection.execute("SELECT status FROM runs").fetchall()
        if rows != [("complete",)]:
            raise UsageError(
                f"{results} holds {len(rows)} runs, and the sample is one that is complete",
                hint="`just sample` makes one in a folder of its own.",
            )
        packed = target.with_suffix(".new")
        packed.unlink(missing_ok=True)
        store.connection.execute("VACUUM INTO ?", (str(packed),))
    with Store(packed, create=False) as copied, copied.transaction() as connection:
        # What was typed names the maker's folders, and the process was one of this machine.
        connection.execute("UPDATE runs SET command = '', process_json = NULL, machine = ''")
    with closing(sqlite3.connect(packed)) as copy:
        copy.execute("VACUUM")
        # A file of write-ahead logs would have files beside it as soon as it is opened.
        copy.execute("PRAGMA journal_mode = DELETE")
    data = packed.read_bytes()
    mine = [str(folder) for folder in (Path.home(), source_root(), cache_dir())]
    mine += [platform.node()] if len(platform.node()) >= _SHORTEST_NAME else []
    paths = sorted(
        {found.decode() for found in _PATH_OF_A_USER.findall(data)}
        | {one for one in mine if one.encode() in data}
    )
    if paths or len(data) > _LARGEST_BYTES:
        packed.unlink()
        raise UsageError(
            f"paths of this machine are in it: {', '.join(paths)}"
            if paths
            else f"{len(data):,} bytes are too many for a sample ({_LARGEST_BYTES:,})",
            hint="Mend what writes them into the store." if paths else "Take fewer iterations.",
        )
    packed.replace(target)
    return target


def main() -> int:
    """`python -m python_runner.notebook.make_sample FOLDER`."""
    try:
        target = make_sample(Path(sys.argv[1]))
    except PolystackError as error:
        sys.stderr.write(f"{error.message}\n{error.hint}\n")
        return error.exit_code
    sys.stdout.write(f"{target}: {target.stat().st_size:,} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
