"""Weights are read as safetensors or GGUF, and nothing that came with them is run."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from python_runner.common.errors import ModelError
from python_runner.common.locations import source_root
from python_runner.common.progress import SilentProgress
from python_runner.models import prepare_model
from python_runner.models.chat import ChatTemplate, prompt_renderer
from python_runner.models.fingerprint import model_files
from python_runner.models.folder import INDEX
from python_runner.models.gguf import make_gguf
from python_runner.models.gguf_file import read_gguf
from python_runner.models.plain_view import plain_view
from python_runner.models.source import find_source
from tests.faults.fault import fault
from tests.real.command import Marked

TINY = source_root() / "models" / "gemma-2-tiny"
PICKLES = ("pytorch_model.bin", "model.pt", "weights.pkl", "consolidated.00.pth", "last.ckpt")
CODE = 'import pathlib; pathlib.Path("{canary}").touch()\n'


class _Canary:
    """Unpickled, it makes a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self._path),)


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """What is there once code of the model has run."""
    return tmp_path / "code-was-run"


def put_pickle(folder: Path, name: str, canary: Path) -> None:
    (folder / name).write_bytes(pickle.dumps(_Canary(canary)))


def put_code(folder: Path, canary: Path) -> None:
    """Python files, and a configuration that names them, as models of others have it."""
    for name in ("configuration_x", "modeling_x", "tokenization_x"):
        (folder / f"{name}.py").write_text(CODE.format(canary=canary))
    named = {
        "config.json": {
            "AutoConfig": "configuration_x.Config",
            "AutoModelForCausalLM": "modeling_x.Model",
        },
        "tokenizer_config.json": {"AutoTokenizer": ["tokenization_x.T", "tokenization_x.T"]},
    }
    for name, names in named.items():
        content = json.loads((folder / name).read_text(encoding="utf-8"))
        (folder / name).write_text(json.dumps({**content, "auto_map": names}))


@fault(
    "a model has its weights as pickle only",
    injected="a folder with `pytorch_model.bin` or the like that makes a folder when it is opened",
    seen="the file is named, and why it is not read; exit code 4",
    kept="nothing was begun; the pickle was not opened",
)
def test_a_model_in_pickle_is_refused(model: Path, canary: Path, tmp_path: Path) -> None:
    for weights in model.glob("*.safetensors*"):
        weights.unlink()
    for name in PICKLES:
        put_pickle(model, name, canary)
        with pytest.raises(ModelError, match="can run code") as raised:
            find_source(str(model))
        assert name in raised.value.message
        assert "safetensors" in raised.value.hint
        (model / name).unlink()
    put_pickle(model, PICKLES[0], canary)
    code, printed = Marked(tmp_path).run("compare", "demo", "--model", str(model))
    assert code == 4, printed
    assert "pytorch_model.bin" in printed
    assert not canary.exists()


@fault(
    "other programs would not find the safetensors, and open the pickle beside them",
    injected="a folder with `weights.safetensors` and `pytorch_model.bin`",
    seen="the pickle is named; an error of the model (exit code 4)",
    kept="nothing was begun; the pickle was not opened",
)
def test_safetensors_by_another_name_beside_a_pickle(model: Path, canary: Path) -> None:
    (model / INDEX).unlink(missing_ok=True)
    (model / "model.safetensors").rename(model / "weights.safetensors")
    assert find_source(str(model)).bytes
    put_pickle(model, "pytorch_model.bin", canary)
    with pytest.raises(ModelError, match="can run code"):
        find_source(str(model))
    assert not canary.exists()


_LOAD = """
import sys
from pathlib import Path
from python_runner.engines.hf.engine import load_parts
load_parts(Path(sys.argv[1]), 1)
"""


@fault(
    "a model brings pickles and Python code beside its safetensors",
    injected="`auto_map` in both configurations, three Python files and a pickle that leave a mark "
    "when they are run; loaded by transformers, converted by llama.cpp's converter",
    seen="a line that names what is never read; then the model as always",
    kept="all; no mark was left",
)
def test_what_came_beside_the_weights_is_not_run(
    model: Path, canary: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Torch keeps a folder of its own among the temporary files, for all processes.
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "torch"))
    put_pickle(model, "pytorch_model.bin", canary)
    put_code(model, canary)

    said: list[str] = []
    monkeypatch.setattr(SilentProgress, "say", lambda _, message: said.append(message))
    prepare_model(str(model), (), SilentProgress())
    assert any("pytorch_model.bin" in each and "modeling_x.py" in each for each in said)
    subprocess.run(
        [sys.executable, "-c", _LOAD, str(model)],
        env=Marked(tmp_path, {"TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "torch")}).environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )
    monkeypatch.setattr("python_runner.models.gguf.gguf_dir", lambda: tmp_path / "made")
    made = make_gguf(
        model,
        name="spoilt",
        source_sha256="0" * 64,
        expected_bytes=1,
        progress=SilentProgress(),
    )
    assert read_gguf(made).architecture == "gemma2"
    assert not canary.exists()


@fault(
    "a converter of others would run a model's code",
    injected="the same folder, and what converters are shown of it",
    seen="nothing",
    kept="all files of the model but pickles and code; `auto_map` is not passed on",
)
def test_converters_see_the_model_alone(model: Path, canary: Path, tmp_path: Path) -> None:
    put_pickle(model, "pytorch_model.bin", canary)
    put_code(model, canary)
    with plain_view(model, tmp_path / "scratch") as view:
        assert view.name == model.name
        assert {path.name for path in view.iterdir()} == {path.name for path in model_files(TINY)}
        for path in view.glob("*.json"):
            assert "auto_map" not in path.read_text(encoding="utf-8")
        assert (view / "model.safetensors").read_bytes() == (
            TINY / "model.safetensors"
        ).read_bytes()
    assert not view.parent.exists()
    assert not canary.exists()


ATTACKS = {
    "attributes of Python objects": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "an import": "{{ cycler.__init__.__globals__.os.system('touch CANARY') }}",
    "a loop without end": "{% for i in range(10 ** 12) %}{{ i }}{% endfor %}",
    "a division by zero": "{{ 1 // 0 }}",
    "a changed list": "{{ messages.append(1) }}",
}


@fault(
    "a model's chat template is no template but a program",
    injected=f"templates with {', '.join(ATTACKS)}",
    seen="the template is refused, in one sentence; exit code 4",
    kept="nothing was begun",
)
@pytest.mark.parametrize("jinja", ATTACKS.values(), ids=ATTACKS)
def test_a_chat_template_stays_in_its_sandbox(jinja: str, canary: Path) -> None:
    chat = ChatTemplate(jinja=jinja.replace("CANARY", str(canary)))
    render = prompt_renderer("chat", lambda: chat, name="m")
    with pytest.raises(ModelError, match="the chat template of m fails"):
        render("hello")
    assert not canary.exists()
