"""The compilers: one pair for everything in C and C++, so that no stack gets a better one."""

from __future__ import annotations

from dataclasses import dataclass

from python_runner.common.build.commands import require_tool, tool_version

_INSTALL_CXX = (
    "Install a C++ compiler: `sudo apt install build-essential`, "
    "`sudo dnf install gcc-c++` or `xcode-select --install`."
)
_INSTALL_RUST = (
    "Install Rust: `sudo apt install rustup`, `sudo dnf install rustup` or `brew install rustup`; "
    "then `rustup default stable`."
)
_INSTALL_GO = (
    "Install Go 1.24 or newer: `sudo apt install golang-go`, `sudo dnf install golang` or "
    "`brew install go`; if that one is older, take the archive from Go's own site."
)
_INSTALL_PYTHON_TOOL = "It belongs to the environment that `just` sets up: run `just setup`."


@dataclass(frozen=True, kw_only=True)
class Compilers:
    """The C and C++ compilers."""

    c: str
    """Path of the C compiler."""
    cxx: str
    """Path of the C++ compiler."""
    version: str
    """First line of what the C++ compiler says about itself."""


def c_compilers(purpose: str) -> Compilers:
    """The compilers called `cc` and `c++`. Raises ToolMissingError if there is none."""
    cxx = require_tool("c++", purpose, _INSTALL_CXX)
    return Compilers(
        c=require_tool("cc", purpose, _INSTALL_CXX),
        cxx=cxx,
        version=tool_version([cxx, "--version"]),
    )


def rust_version(purpose: str) -> str:
    """What `rustc` says about itself. Raises ToolMissingError if it is absent."""
    require_tool("cargo", purpose, _INSTALL_RUST)
    return tool_version([require_tool("rustc", purpose, _INSTALL_RUST), "--version"])


def go_tool(purpose: str) -> str:
    """The path of `go`. Raises ToolMissingError if it is absent."""
    return require_tool("go", purpose, _INSTALL_GO)


def cmake_and_ninja(purpose: str) -> tuple[str, str]:
    """Paths of CMake and Ninja. Raises ToolMissingError if one is absent."""
    return (
        require_tool("cmake", purpose, _INSTALL_PYTHON_TOOL),
        require_tool("ninja", purpose, _INSTALL_PYTHON_TOOL),
    )
