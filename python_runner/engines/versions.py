"""Which version of an engine would run on this machine, without starting it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as package_version

from python_runner.common.errors import PolystackError
from python_runner.engines.catalogue import catalogue
from python_runner.engines.table import engine


def version_here(name: str) -> str:
    """The version of an engine that is there; "" where only the running engine tells it.

    What is built here has the version that is pinned, by the catalogue.
    """
    ask = _ASKED.get(name, _of_server)
    try:
        found = ask(name)
    except (PolystackError, PackageNotFoundError):
        return ""
    return found or _pinned(name)


def _pinned(name: str) -> str:
    release = catalogue().facts(name).get("release")
    return release.values[0].partition(",")[0].removeprefix("commit ") if release else ""


def _of_package(package: str) -> Callable[[str], str]:
    return lambda _: package_version(package)


def _of_llamafile(_name: str) -> str:
    from python_runner.engines.llama.llamafile_find import find_llamafile

    return find_llamafile().version


def _of_installed_ollama(_name: str) -> str:
    from python_runner.common.progress import SilentProgress
    from python_runner.engines.ollama.installed import installed_ollama

    return installed_ollama(SilentProgress()).version


def _of_server(name: str) -> str:
    from python_runner.engines.servers.engine import CataloguedServer

    found = engine(name)
    if not isinstance(found, CataloguedServer):
        return ""
    installed = found.find()
    return installed.version or installed.image


_ASKED: Mapping[str, Callable[[str], str]] = {
    "ctranslate2": _of_package("ctranslate2"),
    "llamafile": _of_llamafile,
    "mistral.rs-wheel": _of_package("mistralrs"),
    "ollama-installed": _of_installed_ollama,
    "transformers": _of_package("transformers"),
    "transformers-serve": _of_package("transformers"),
}
