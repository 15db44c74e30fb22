"""What of a folder is read, and a view of it that holds nothing else.

Weights are read as safetensors or GGUF only. A pickle (`pytorch_model.bin`, `*.pt`) can run code
when it is opened, and so can Python files that a configuration names under `auto_map`; converters
of others would open the one where they find no safetensors, and run the other for some models.
They are shown a view in which neither is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from python_runner.models.fingerprint import model_files

_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.pickle")
_CODE = "*.py"
_NAMES_CODE = "auto_map"


def pickles(folder: Path) -> list[str]:
    """Names of the files in `folder` that may be pickles."""
    found = {path.name for pattern in _PICKLES for path in folder.glob(pattern)}
    return sorted(found)


def unread(folder: Path) -> list[str]:
    """What lies in the folder of a model and is never opened, each with the reason."""
    said = []
    if names := pickles(folder):
        said.append(f"{', '.join(names)} (a pickle can run code)")
    code = sorted(path.name for path in folder.glob(_CODE))
    if code or any(_NAMES_CODE in _content(path) for path in folder.glob("*config.json")):
        said.append(f"{', '.join(code) or _NAMES_CODE} (code that came with the model)")
    return said


@contextmanager
def plain_view(folder: Path, scratch: Path) -> Iterator[Path]:
    """A folder of the same name as `folder` below `scratch`, with the files of the model alone.

    They are links, but for JSON that names code: of that, a copy which does not.
    """
    view = scratch / "view" / folder.name
    view.mkdir(parents=True)
    for path in model_files(folder):
        content = _content(path) if path.suffix == ".json" else {}
        if _NAMES_CODE in content:
            kept = {key: value for key, value in content.items() if key != _NAMES_CODE}
            (view / path.name).write_text(json.dumps(kept, indent=2), encoding="utf-8")
        else:
            (view / path.name).symlink_to(path.resolve())
    try:
        yield view
    finally:
        for path in view.iterdir():
            path.unlink()
        view.rmdir()
        view.parent.rmdir()


def _content(path: Path) -> dict[str, object]:
    """The keys of a JSON file; none if it is no such file, which others tell."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
