"""The parts of transformers with GPTQ that need neither its packages nor a model."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace as Bag
from typing import Any

import pytest

from python_runner.common.build.cache import RECIPE, location
from python_runner.common.build.survey import Survey
from python_runner.common.errors import EngineStartError, SetupError
from python_runner.common.locations import CACHE_VARIABLE
from python_runner.common.progress import SilentProgress
from python_runner.engines.build import gptq as build
from python_runner.engines.hf import gptq as hf_gptq
from python_runner.engines.hf.gptq import ENGINE, held_in, load
from python_runner.engines.variants import PRECISIONS, variant_of
from python_runner.measure.criteria import bits_in
from tests.unit.engines.helpers import settings_for


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    for module in (build, hf_gptq):  # asking a compiler for its version starts it
        monkeypatch.setattr(module, "c_compilers", lambda purpose: None)
    return tmp_path


def install() -> Path:
    """A folder that looks as if it had been made."""
    folder = location(build.PACKAGE, build._recipe())
    folder.mkdir(parents=True)
    (folder / RECIPE).write_text("{}")
    return folder / "packages"


def test_it_is_not_installed_by_the_way(cache: Path) -> None:
    with pytest.raises(SetupError) as raised:
        build.gptq_packages(SilentProgress())
    assert "polystack build --stacks transformers-gptq" in raised.value.hint
    assert ENGINE.lack().startswith("GPT-QModel is not installed")
    packages = install()
    assert build.gptq_packages(SilentProgress()) == packages
    assert ENGINE.lack() == ""


def test_a_survey_is_told_what_installing_it_would_be(cache: Path) -> None:
    found = Survey().run(ENGINE.prepare)
    assert [work.title for work in found.missing] == [
        "Installing GPT-QModel beside the project's packages"
    ]
    install()
    assert Survey().run(ENGINE.prepare).missing == ()


def test_another_torch_wants_it_anew(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install()
    monkeypatch.setattr(build, "version", lambda name: "99")
    assert ENGINE.lack()


def test_its_worker_finds_the_packages_before_all_others(cache: Path, tmp_path: Path) -> None:
    packages = install()
    for engine in (ENGINE, variant_of(ENGINE, {"gc": "off"})):
        found: Any = engine
        variables = found._variables(settings_for(tmp_path))
        ours, theirs = variables["PYTHONPATH"].split(":")
        assert (Path(ours) / "python_runner").is_dir()
        assert theirs == str(packages)
        assert variables["HF_HUB_OFFLINE"] == "1"
        assert Path(variables["GPTQMODEL_TORCH_EXTENSIONS_DIR"]).parent == packages.parent


def test_a_model_that_was_not_quantised_is_told(tmp_path: Path) -> None:
    with pytest.raises(EngineStartError, match="paper was not quantised by GPTQ"):
        load(settings_for(tmp_path))


def layer(kernel: str, *, rows: int, row: int, **more: object) -> Any:
    values = {"qweight": None, "bits": 4, "group_size": 128, "in_features": row}
    return type(kernel, (), {**values, "out_features": rows, **more})()


def test_what_is_held_and_who_multiplies_is_asked_of_the_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hf_gptq, "version", lambda name: f"1 of {name}")
    rest = Bag(numel=lambda: 16, dtype="torch.bfloat16")
    layers = [layer("TheirKernel", rows=8, row=6), Bag()]
    whole: Any = Bag(
        modules=lambda: iter(layers), parameters=lambda: iter([rest]), dtype="torch.bfloat16"
    )
    assert held_in(whole) == {
        "weights in memory": "int4 (GPTQ)",
        "weights by type": "int4 75.0%, bf16 25.0%",
        "activations": "bf16",
        "weights with one scale": "128",
        "products": "TheirKernel",
        "gptqmodel": "1 of gptqmodel",
        "optimum": "1 of optimum",
    }
    layers.clear()
    assert held_in(whole)["weights in memory"] == "bf16"


def test_it_holds_its_weights_so_whatever_the_word() -> None:
    assert set(ENGINE.spec.formats) == set(PRECISIONS)
    (only,) = set(ENGINE.spec.formats.values())
    assert (only.name, only.bits, only.gptq) == (hf_gptq.NAME, 4, True)
    assert bits_in(only.name) == 4
