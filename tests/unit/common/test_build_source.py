"""llama.cpp's source: pinned by hash, unpacked with care."""

import io
import tarfile
from pathlib import Path

import pytest

from python_runner.common.build import source
from python_runner.common.build.source import (
    ctypes_binding,
    llama_cpp_commit,
    pinned_release,
)
from python_runner.common.errors import BuildFailedError

CHANGES = """\
## [0.3.36]

- feat: update llama.cpp to ggml-org/llama.cpp@0c1e57098

## [0.3.35]

- feat: update llama.cpp to ggml-org/llama.cpp@4df29be4f
"""


def archive(folder: Path, members: dict[str, str]) -> Path:
    path = folder / "release.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for name, text in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            tar.addfile(entry, io.BytesIO(text.encode()))
    return path


def test_a_release_and_its_hash_are_pinned() -> None:
    release = pinned_release()

    assert release.version.count(".") == 2
    assert len(release.sha256) == 64


def test_a_pin_that_cannot_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("llama-cpp-python\n")
    monkeypatch.setattr(source, "_requirements", lambda: requirements)

    with pytest.raises(BuildFailedError, match="a version and a hash"):
        pinned_release()


def test_only_what_is_needed_is_unpacked(tmp_path: Path) -> None:
    path = archive(
        tmp_path,
        {
            "release-1/CHANGELOG.md": CHANGES,
            "release-1/README.md": "words",
            "release-1/llama_cpp/server/app.py": "app = 1",
            "release-1/vendor/llama.cpp/CMakeLists.txt": "project(x)",
            "release-1/vendor/llama.cpp/.git": "gitdir: ../../.git",
        },
    )
    source._unpack(path, tmp_path / "out")

    files = {str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*.*")}
    assert files == {
        "CHANGELOG.md",
        "llama_cpp/server/app.py",
        "vendor/llama.cpp",
        "vendor/llama.cpp/CMakeLists.txt",
    }
    assert ctypes_binding(tmp_path / "out" / "vendor" / "llama.cpp") == tmp_path / "out"


def test_the_commit_is_the_newest_that_the_changes_name(tmp_path: Path) -> None:
    path = archive(
        tmp_path,
        {"r/CHANGELOG.md": CHANGES, "r/vendor/llama.cpp/CMakeLists.txt": "project(x)"},
    )
    source._unpack(path, tmp_path / "out")

    assert llama_cpp_commit(tmp_path / "out" / "vendor" / "llama.cpp") == "0c1e57098"


def test_an_unknown_commit_is_empty(tmp_path: Path) -> None:
    (tmp_path / "CHANGELOG.md").write_text("nothing here")

    assert llama_cpp_commit(tmp_path / "vendor" / "llama.cpp") == ""


def test_nothing_is_written_outside_the_folder(tmp_path: Path) -> None:
    path = archive(
        tmp_path,
        {"r/vendor/llama.cpp/../../../evil": "x", "r/vendor/llama.cpp/CMakeLists.txt": "y"},
    )
    with pytest.raises(BuildFailedError, match="cannot be unpacked"):
        source._unpack(path, tmp_path / "out")
    assert not (tmp_path / "evil").exists()


def test_an_archive_without_llama_cpp_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path, {"r/CHANGELOG.md": CHANGES})

    with pytest.raises(BuildFailedError, match=r"holds no vendor/llama\.cpp"):
        source._unpack(path, tmp_path / "out")
