"""Where a server of somebody else's is, and how it is to be asked."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from python_runner.common.errors import UsageError
from python_runner.engines.contract import Dialect
from python_runner.engines.outside.dialects import PATHS

UNKNOWN = "not known"
_TIMEOUT_S = 600.0


@dataclass(frozen=True, kw_only=True)
class Outside:
    """Where a server of somebody else's is, and how it is to be asked."""

    url: str
    """Whole URL that requests are posted to."""
    dialect: Dialect
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """May hold a key."""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """What must not be kept even if the server repeats it."""
    ca_file: str | None = None
    name: str = ""
    """Of the stack; empty: it goes by its host."""
    tokenizer: Path | None = None
    """Folder of its model's tokenizer, for answers that it does not count itself."""
    timeout_s: float = _TIMEOUT_S
    """For one answer."""

    @property
    def host(self) -> str:
        """`host:port`, as the URL has it."""
        return urlsplit(self.url).netloc

    @property
    def title(self) -> str:
        """What tables and charts show."""
        return self.name or self.host

    @property
    def base(self) -> str:
        """The URL without the path of the dialect."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}{parts.path.removesuffix(PATHS[self.dialect])}"

    def trusted(self) -> ssl.SSLContext:
        """Whose certificates are believed: the system's, and those of `ca_file`.

        Raises UsageError if that file cannot be read.
        """
        context = ssl.create_default_context()
        if self.ca_file:
            try:
                context.load_verify_locations(self.ca_file)
            except OSError as error:  # ssl.SSLError is one, too
                reason = "holds no certificate" if error.errno is None else error.strerror
                raise UsageError(
                    f"--ca-file {self.ca_file}: {reason or error}",
                    hint="Name a file of certificates in PEM.",
                ) from error
        return context
