"""llama-cpp-python without compiling it: its Python files, and the libllama that is here already.

The package is a binding by ctypes. It loads the library from the folder that a variable names,
so it computes with the very file that our own binding and llama-server compute with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from python_runner.common.build.source import ctypes_binding, llama_cpp_source
from python_runner.common.errors import EngineStartError, SetupError
from python_runner.common.progress import Progress
from python_runner.engines.build.llamacpp import library_file, llama_cpp_prefix

NEEDS = ("diskcache", "jinja2", "numpy", "typing-extensions")
"""The Python packages that it is imported with."""
SERVER_NEEDS = (
    *("fastapi", "pydantic-settings", "pyyaml", "sse-starlette", "starlette-context"),
    "uvicorn",
)
"""What its server wants besides."""

_LIBRARY_FOLDER = "LLAMA_CPP_LIB_PATH"


@dataclass(frozen=True, kw_only=True)
class CtypesBinding:
    """The package and the library that it is to load."""

    folder: Path
    """To import `llama_cpp` from."""
    prefix: Path
    """The build of llama.cpp."""

    @property
    def environment(self) -> Mapping[str, str]:
        """The variable by which the package finds the library; read when it is imported."""
        return {_LIBRARY_FOLDER: str(self.prefix / "lib")}

    def check(self, loaded: str) -> None:
        """Raise EngineStartError if `loaded` is not the library in `prefix`."""
        ours = library_file(self.prefix)
        if Path(loaded).resolve() != ours:
            raise EngineStartError(
                f"llama-cpp-python has loaded {loaded}, and was to load {ours}",
                hint="Is another llama_cpp on PYTHONPATH? Take it away and run again.",
            )


def llama_cpp_python(progress: Progress) -> CtypesBinding:
    """The package and its library, fetched and built if they are not there yet.

    Raises what `llama_cpp_prefix` raises.
    """
    folder = ctypes_binding(llama_cpp_source(progress))
    return CtypesBinding(folder=folder, prefix=llama_cpp_prefix(progress))


def require_packages(names: Iterable[str], purpose: str) -> None:
    """Raise SetupError for the first of these Python packages that is not installed."""
    for name in names:
        try:
            version(name)
        except PackageNotFoundError as error:
            raise SetupError(
                f"the Python package {name} is not installed; {purpose} needs it",
                hint="Install polystack with its dependencies, as the README says.",
            ) from error
