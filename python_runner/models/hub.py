"""Published weights: found on this machine, or fetched with huggingface_hub.

The folder of a published model is looked for beside the manifests, in a folder of the
user's ($POLYSTACK_MODELS), and in Hugging Face's cache, where other programs may have put
it and where we fetch to. It is used where it lies: nothing is copied.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from python_runner.common.errors import ModelError
from python_runner.common.progress import Progress, Task
from python_runner.models.fingerprint import PATTERNS, Fingerprint
from python_runner.models.folder import inspect_folder

if TYPE_CHECKING:
    from python_runner.models.cards import ModelCard

FOLDER_VARIABLE = "POLYSTACK_MODELS"
_SHA256_DIGITS = 64
_SHA1_DIGITS = 40
_LINES_OF_THEIR_MESSAGE = 6


def find_published(card: ModelCard, checkout: Path) -> Path | None:
    """The folder of a published model, if it is on this machine.

    Args:
        card: with a `hub` part.
        checkout: the folder of the manifests.
    """
    for place in (os.environ.get(FOLDER_VARIABLE), checkout):
        # One that is there is meant to be used, even if it turns out to be damaged.
        if place and (folder := Path(place).expanduser() / card.name).is_dir():
            return folder
    return _cached(card)


def _cached(card: ModelCard) -> Path | None:
    """The snapshot in Hugging Face's cache, if all of it has arrived."""
    assert card.hub is not None
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        found = snapshot_download(
            card.hub.repo,
            revision=card.hub.revision or None,
            allow_patterns=list(PATTERNS),
            ignore_patterns=list(card.hub.leave_out),
            local_files_only=True,
        )
        inspect_folder(Path(found))
    except (LocalEntryNotFoundError, ModelError):
        return None  # fetching goes on from what is there
    return Path(found)


def fetch(card: ModelCard, expected_bytes: int, progress: Progress) -> Path:
    """Fetch the model into Hugging Face's cache; goes on where an earlier try broke off.

    Raises:
        ModelError: no token, the licence is not accepted, no connection, or the disk is full.
    """
    assert card.hub is not None
    from huggingface_hub import get_token, snapshot_download

    if card.hub.gated and get_token() is None:
        raise ModelError(
            f"{card.name} is not on this machine, and {card.hub.repo} is given only to those "
            f"who have accepted its licence ({card.licence}): that takes a token",
            hint=_how_to_get(card),
        )
    with progress.task(
        f"Fetching {card.label} ({expected_bytes / 1e9:.1f} GB)",
        why=f"{card.hub.repo}, licence {card.licence}; kept in Hugging Face's cache",
    ) as task:
        try:
            found = snapshot_download(
                card.hub.repo,
                revision=card.hub.revision or None,
                allow_patterns=list(PATTERNS),
                ignore_patterns=list(card.hub.leave_out),
                tqdm_class=_bar_for(task),
            )
        except Exception as error:  # its HTTP library's errors, the system's, and its own
            raise ModelError(
                f"{card.hub.repo} could not be fetched: {_gist(error)}", hint=_how_to_get(card)
            ) from error
    return Path(found)


def check_against_hub(
    folder: Path, fingerprint: Fingerprint, *, just_fetched: bool = False
) -> None:
    """Compare the files with the hashes that the hub gave for them.

    One that was fetched just now and is another is removed: nobody shall take it for what its
    name says. One that has lain there is the user's, and stays.

    Hugging Face's cache keeps each file under its hash and links to it; files that are no
    such links are not known to the hub, and are passed over.

    Raises:
        ModelError: a file is not what the hub said it was.
    """
    for file in fingerprint.files:
        path = folder / file.name
        if not path.is_symlink():
            continue
        blob = path.resolve()
        promised = blob.name
        if len(promised) == _SHA256_DIGITS:
            found = file.sha256
        elif len(promised) == _SHA1_DIGITS:
            found = _git_hash(path.read_bytes())
        else:
            continue
        if found != promised:
            if just_fetched:
                path.unlink()
                blob.unlink()
            first = "It was removed: run" if just_fetched else f"Remove {blob} and run"
            raise ModelError(
                f"{path} is damaged: the hub gives its hash as {promised}, and it is {found}",
                hint=f"{first} the command again: it is fetched anew.",
            )


def revision_of(folder: Path) -> str:
    """The commit of a folder in Hugging Face's cache; empty for any other folder."""
    return folder.name if folder.parent.name == "snapshots" else ""


def hub_cache() -> Path:
    """Where huggingface_hub keeps what it fetches."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def _git_hash(content: bytes) -> str:
    """The hash by which git, and so the hub, names a small file."""
    header = f"blob {len(content)}\0".encode()
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


def _how_to_get(card: ModelCard) -> str:
    assert card.hub is not None
    from huggingface_hub import constants

    accept = "Accept the licence at" if card.hub.gated else "See what is asked for at"
    return (
        f"{accept} {constants.ENDPOINT}/{card.hub.repo}, then `hf auth login` (or "
        f"set HF_TOKEN) and run the command again. Or put the files into models/{card.name}/, or "
        f"into {card.name}/ in the folder that ${FOLDER_VARIABLE} names."
    )


def _gist(error: Exception) -> str:
    """What the hub says, its licence notice included, cut to a few lines."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return "\n".join(lines[:_LINES_OF_THEIR_MESSAGE]) or type(error).__name__


def _bar_for(task: Task) -> Any:
    """A progress bar as the hub's library wants one, which shows itself through `task`."""
    from tqdm.auto import tqdm

    class Bar(tqdm):  # type: ignore[misc]  # tqdm comes without types
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **{**options, "disable": True})
            self.unit = options.get("unit", "")

        def update(self, n: float | None = 1) -> None:
            self.n += n or 0
            if self.unit == "B" and self.total:
                task.update(min(1.0, self.n / self.total), f"{self.n / 1e9:.1f} GB")

    return Bar
