"""Run a notebook in a kernel of this very Python, whatever else is installed."""

from __future__ import annotations

import base64
import gc
import json
import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from PIL import Image

from python_runner.common.locations import source_root

FOLDER = source_root() / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
_NAME = "polystack-test"
_START_S = 300
_CELL_S = 300


@dataclass(frozen=True)
class Executed:
    """A notebook after its last cell."""

    notebook: nbformat.NotebookNode

    def outputs(self) -> Iterator[Mapping[str, Any]]:
        """All outputs, in order."""
        for cell in self.notebook.cells:
            yield from cell.get("outputs", [])

    def said(self) -> str:
        """What went to standard output and error: warnings, above all."""
        return "".join(one["text"] for one in self.outputs() if one["output_type"] == "stream")

    def html(self) -> str:
        """What objects and tables show."""
        return "\n".join(one.get("data", {}).get("text/html", "") for one in self.outputs())

    def pictures(self) -> dict[str, Image.Image]:
        """Every picture by its alternative text."""
        return {
            one["metadata"]["image/png"]["alt"]: Image.open(
                BytesIO(base64.b64decode(one["data"]["image/png"]))
            )
            for one in self.outputs()
            if "image/png" in one.get("data", {})
        }


def execute(notebook: Path, home: Path, *, run: str = "sample") -> Executed:
    """Run all cells of `notebook` with another `RUN`; a cell that fails raises.

    Args:
        notebook: the file, which stays as it is.
        home: an empty folder for what Jupyter keeps.
        run: what the cell with the parameter says instead.
    """
    with warnings.catch_warnings():
        # The client leaves sockets to the garbage collector: collected at once and in silence,
        # they are not held against a test that comes later.
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            return _execute(notebook, home, run)
        except CellExecutionError as error:
            raise error.with_traceback(None) from None
        finally:
            gc.collect()


def _execute(notebook: Path, home: Path, run: str) -> Executed:
    read = nbformat.read(notebook, as_version=4)
    for cell in read.cells:
        if "parameters" in cell.metadata.get("tags", []):
            cell.source = f"RUN = {run!r}"
    spec = home / "kernels" / _NAME
    spec.mkdir(parents=True)
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    words = {"argv": command, "display_name": _NAME, "language": "python"}
    (spec / "kernel.json").write_text(json.dumps(words), encoding="utf-8")
    manager = AsyncKernelManager(
        kernel_name=_NAME,
        kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(spec.parent)]),
        connection_file=str(home / "connection.json"),
    )
    client = NotebookClient(
        read,
        km=manager,
        timeout=_CELL_S,
        startup_timeout=_START_S,
        resources={"metadata": {"path": str(notebook.parent)}},
    )
    # The manager is ours, so the client would leave its kernel running.
    client.execute(env=_environment(home), cleanup_kc=True)
    return Executed(read)


def _environment(home: Path) -> dict[str, str]:
    """No results and no settings of the user's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("POLYSTACK")}
    folders = {"IPYTHONDIR": home / "ipython", "JUPYTER_CONFIG_DIR": home / "jupyter"}
    return {
        **kept,
        **{name: str(folder) for name, folder in folders.items()},
        "PYTHONPATH": str(source_root()),
    }
