"""Archives, manifests and names cannot reach files outside their folder."""

from __future__ import annotations

import io
import json
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from python_runner.common.build import source
from python_runner.common.build.extension import _unpack_wheel
from python_runner.common.errors import BuildFailedError, ModelError
from python_runner.common.locations import source_root
from python_runner.models import cards
from python_runner.models.ollama_library import forget, layers, pulled_model
from python_runner.models.source import file_name_of
from tests.faults.fault import fault
from tests.real.test_hub_fetch import WEIGHTS, Hub, hub, prepared
from tests.unit.cli.conftest import Polystack, polystack, results

__all__ = ["hub", "polystack", "results"]

INSIDE = "release-1/vendor/llama.cpp"
Spoil = Callable[[tarfile.TarInfo], None]


def named(name: str) -> Spoil:
    def spoil(member: tarfile.TarInfo) -> None:
        member.name = name

    return spoil


def linked(kind: bytes, target: str) -> Spoil:
    def spoil(member: tarfile.TarInfo) -> None:
        member.type, member.linkname, member.size = kind, target, 0

    return spoil


ARCHIVES: dict[str, Spoil] = {
    "`..` in a name": named(f"{INSIDE}/../../../../outside"),
    "a link to a file outside": linked(tarfile.SYMTYPE, "../../../../../outside"),
    "a link to a whole path": linked(tarfile.SYMTYPE, "/etc/passwd"),
    "a hard link to a file outside": linked(tarfile.LNKTYPE, "../outside"),
    "a device": linked(tarfile.CHRTYPE, ""),
    "a named pipe": linked(tarfile.FIFOTYPE, ""),
}


def archive(path: Path, spoil: Spoil) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        good = tarfile.TarInfo(f"{INSIDE}/CMakeLists.txt")
        good.size = 1
        tar.addfile(good, io.BytesIO(b"x"))
        bad = tarfile.TarInfo(f"{INSIDE}/bad")
        bad.size = 1
        spoil(bad)
        tar.addfile(bad, io.BytesIO(b"x" * bad.size))
    return path


def everything(folder: Path) -> dict[str, int]:
    """All that lies below a folder: name and type."""
    return {
        str(path.relative_to(folder)): stat.S_IFMT(path.lstat().st_mode)
        for path in folder.rglob("*")
    }


@fault(
    "an archive of sources would write outside its folder",
    injected=f"a tar with {', '.join(ARCHIVES)}",
    seen="the build ends, and names the entry; exit code 3",
    kept="nothing lies outside the folder, and the folder is gone",
)
@pytest.mark.parametrize("spoil", ARCHIVES.values(), ids=ARCHIVES)
def test_a_tar_stays_in_its_folder(tmp_path: Path, spoil: Spoil) -> None:
    (tmp_path / "given").mkdir()
    path = archive(tmp_path / "given" / "release.tar.gz", spoil)
    folder = tmp_path / "deep" / "er" / "out"
    folder.mkdir(parents=True)
    with pytest.raises(BuildFailedError, match=r"cannot be unpacked: .*(bad|outside)") as raised:
        source._unpack(path, folder)
    assert raised.value.hint
    assert set(everything(tmp_path)) == {"given", "given/release.tar.gz", "deep", "deep/er"}


@fault(
    "an archive of sources holds more than sources",
    injected="a tar with a whole path",
    seen="nothing: what does not belong to the source is left out",
    kept="nothing lies outside the folder",
)
def test_a_whole_path_is_left_out(tmp_path: Path) -> None:
    path = archive(tmp_path / "release.tar.gz", named(f"/{INSIDE}/outside"))
    source._unpack(path, tmp_path / "out")
    files = [path.name for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert files == ["CMakeLists.txt"]


@fault(
    "a wheel would write outside its folder",
    injected="a zip with `..`, a whole path and a link",
    seen="nothing",
    kept="what it holds lies inside the folder, as plain files",
)
def test_a_wheel_stays_in_its_folder(tmp_path: Path) -> None:
    given, folder = tmp_path / "given", tmp_path / "deep" / "out"
    given.mkdir()
    folder.mkdir(parents=True)
    with zipfile.ZipFile(given / "x.whl", "w") as wheel:
        wheel.writestr("../../outside", "x")
        wheel.writestr("/outside", "x")
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        wheel.writestr(link, "/etc/passwd")
    _unpack_wheel(given, folder)
    found = everything(tmp_path)
    assert set(found) == {"given", "given/x.whl", "deep", "deep/out"} | {
        f"deep/out/{name}" for name in ("outside", "link")
    }
    assert set(found.values()) <= {stat.S_IFREG, stat.S_IFDIR}


@fault(
    "a hub lists a file that would lie outside the model's folder",
    injected="`../../outside.safetensors` and a whole path in the list of a hub of our own",
    seen="the model could not be fetched, and why; exit code 4",
    kept="nothing lies outside the hub's cache",
)
@pytest.mark.parametrize("name", ["../../../outside.safetensors", "/outside.safetensors"])
def test_a_hub_that_names_files_outside(hub: Hub, tmp_path: Path, name: str) -> None:
    hub.files[name] = b"x"
    with pytest.raises(ModelError, match="could not be fetched") as raised:
        prepared()
    assert raised.value.hint
    places = [path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*outside*")]
    assert set(places) <= {"hub"}
    assert not Path("/outside.safetensors").exists()


@fault(
    "weights arrive with another content than their hash says",
    injected="a hub that gives another hash than its file has",
    seen="the file is damaged, and both hashes; exit code 4",
    kept="nothing is made of it, and it is removed from where it would be used",
)
def test_a_wrong_hash_is_refused_each_time(hub: Hub, tmp_path: Path) -> None:
    hub.lies_about = WEIGHTS
    for _ in range(2):
        with pytest.raises(ModelError, match="the hub gives its hash as") as raised:
            prepared()
        assert "It was removed" in raised.value.hint
        assert not list((tmp_path / "hub").rglob(WEIGHTS))
    assert not (tmp_path / "cache" / "models" / "gguf").exists()
    hub.lies_about = ""
    assert (prepared() / WEIGHTS).is_file()


@fault(
    "weights that have lain on the disk are another content than their hash says",
    injected="a byte that is changed in the hub's cache after a good start",
    seen="the file is damaged, both hashes, and which file to remove; exit code 4",
    kept="nothing is measured with it; the file is the user's, and stays",
)
def test_what_has_lain_there_is_named_and_stays(hub: Hub) -> None:
    weights = prepared() / WEIGHTS
    blob = weights.resolve()
    content = bytearray(blob.read_bytes())
    content[-1] ^= 1
    blob.write_bytes(bytes(content))
    with pytest.raises(ModelError, match="the hub gives its hash as") as raised:
        prepared()
    assert f"Remove {blob}" in raised.value.hint
    assert blob.is_file()


def manifest(folder: Path, digest: str) -> Path:
    path = folder / "manifests" / "some.host" / "library" / "bad" / "latest"
    path.parent.mkdir(parents=True)
    entry = {"mediaType": "application/vnd.ollama.image.model", "digest": digest}
    config = {"mediaType": "application/json", "digest": f"sha256:{'1' * 64}"}
    path.write_text(json.dumps({"config": config, "layers": [entry]}))
    return path


@fault(
    "a manifest of Ollama's names a file outside its folder",
    injected="`sha256:../../../outside` as the hash of a layer",
    seen="the model has no weights that could be taken; exit code 4",
    kept="that file is neither read nor, with the model, removed",
)
def test_a_manifest_that_names_files_outside(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("x")
    folder = tmp_path / "ollama"
    (folder / "blobs" / "sha256-").mkdir(parents=True)
    path = manifest(folder, "sha256:/../../../outside")
    assert (folder / "blobs" / "sha256-" / ".." / ".." / ".." / "outside").exists()
    with pytest.raises(ModelError, match="of 0 files of weights"):
        pulled_model("bad", [folder])
    assert [layer.digest for layer in layers(path)] == [f"sha256:{'1' * 64}"]
    forget(folder, path)
    assert outside.read_text() == "x"


@fault(
    "a manifest of a model has a name that leads elsewhere",
    injected="`name` and `like` with `..`",
    seen="the manifest is refused; exit code 4",
    kept="nothing was begun",
)
@pytest.mark.parametrize(
    "change", ['name = "../../x"', 'like = "../../x"', 'name = "a/b"', 'name = ""']
)
def test_a_manifest_with_a_path_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    whole = (cards.models_dir() / "gemma-2-tiny.toml").read_text(encoding="utf-8")
    key = change.partition(" ")[0]
    kept = [line for line in whole.splitlines() if not line.startswith(f"{key} ")]
    (tmp_path / "bad.toml").write_text("\n".join([change, *kept]))
    monkeypatch.setattr(cards, "models_dir", lambda: tmp_path)
    with pytest.raises(ModelError, match="is no manifest of a model"):
        cards.catalogue()


NAMES = ["../../outside", "/outside", "a/b", "..", "with\nline", "\x1b[2J", "-rf", "a\0b", " "]


@fault(
    "a name that a user gives leads elsewhere, or breaks a line",
    injected="`..`, `/`, line ends, escapes and options as names of endpoints, models, stacks, "
    "studies and runs",
    seen="the name is refused, in words without escapes; exit code 2",
    kept="nothing was begun, and nothing lies outside the folder",
)
@pytest.mark.parametrize("way", ["endpoint", "study", "stacks", "run"])
def test_names_that_lead_elsewhere(tmp_path: Path, polystack: Polystack, way: str) -> None:
    for name in ("../../outside", "a/b", "with\nline", "\x1b[2J", ".."):
        words = {
            "endpoint": ("compare", "demo", "--endpoint", f"{name}=http://127.0.0.1:9"),
            "study": ("compare", name),
            "stacks": ("compare", "demo", "--stacks", f"mock-cpp,{name}"),
            "run": ("show", name),
        }[way]
        outcome = polystack(*words)
        assert outcome.code in {2, 7}, outcome.err
        assert "\x1b" not in outcome.out + outcome.err
    assert set(everything(tmp_path)) <= {"results"}


@fault(
    "the name of a model's folder is no name of a file",
    injected="`..`, `/`, line ends, escapes, options and nothing",
    seen="the same model under a plain name",
    kept="what is made of it lies in the cache",
)
@pytest.mark.parametrize("name", NAMES)
def test_what_is_made_of_a_model_has_a_plain_name(name: str) -> None:
    made = file_name_of(name)
    assert made == Path(made).name
    assert made.isprintable()
    assert not made.startswith(("-", "."))


@fault(
    "a study's texts would be names of files",
    injected="a study file whose name, title, endpoint and claims hold `..` and line ends",
    seen="the run as always, or the key that is wrong; exit code 0 or 2",
    kept="all files lie in the folder of results",
)
def test_texts_of_a_study_are_no_paths(tmp_path: Path, polystack: Polystack) -> None:
    folder = tmp_path / "deep" / "work"
    folder.mkdir(parents=True)
    text = (source_root() / "studies" / "demo.toml").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith(("name ", "title "))]
    study = folder / "mine.toml"
    study.write_text("\n".join(['name = "../../outside"', 'title = "a\\n../b"', *lines]))
    outcome = polystack(
        *("compare", str(study), "--stacks", "mock-cpp,mock-go", "--iterations", "2"),
        *("--blocks", "1", "--no-answers"),
    )
    assert outcome.code == 0, outcome.err
    found = set(everything(tmp_path))
    assert not [name for name in found if "outside" in name]
    assert all(name.startswith(("deep", "results")) for name in found)
