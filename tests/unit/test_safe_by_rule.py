"""Rules of safety that hold for every line of the package."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import python_runner

PACKAGE = Path(python_runner.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
PASS_ON = {"guard.py", "container_guard.py"}
"""Programs that were given a clean environment themselves, and start what they are told to."""
OPENS_PICKLES = {"pickle", "cPickle", "dill", "joblib", "marshal", "shelve", "cloudpickle"}
RUNS_CODE = {"eval", "exec"}
LOADERS = {"AutoModelForCausalLM", "AutoModel", "AutoConfig", "AutoTokenizer", "model_class"}
STARTERS = {"run", "Popen", "call", "check_call", "check_output"}


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Each call of a file, by the dotted name that is called."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_opens_a_pickle_or_runs_a_text(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert not OPENS_PICKLES & {each.name.partition(".")[0] for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert (node.module or "").partition(".")[0] not in OPENS_PICKLES
    for name, _ in calls(path):
        assert name not in RUNS_CODE
        assert name not in {"torch.load", "yaml.load", "numpy.load", "np.load", "os.system"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_models_are_loaded_without_their_code(path: Path) -> None:
    assert "trust_remote_code=True" not in path.read_text(encoding="utf-8")
    for name, call in calls(path):
        owner, _, method = name.rpartition(".")
        if method == "from_pretrained" and owner in LOADERS:
            given = ast.unparse(call)
            assert "trust_remote_code" in given or "safe" in given, ast.unparse(call)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_child_gets_an_environment_without_secrets(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for name, call in calls(path):
        owner, _, function = name.rpartition(".")
        if owner == "subprocess" and function in STARTERS and path.name not in PASS_ON:
            given = {each.arg for each in call.keywords}
            assert "env" in given, f"{path.name}:{call.lineno} inherits everything"
            assert "without_secrets" in text or "build_variables" in text
