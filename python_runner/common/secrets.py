"""What of our environment is secret, and is kept from the processes that we start.

A key in an environment is inherited by every child, shows in its `/proc/PID/environ`, and is
printed by any program that lists its variables. An engine needs none: whatever it is asked
carries no key, and its weights lie on the disk. Fetching from the hub happens in our own process.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

_SECRET_WORDS = frozenset(
    {
        "KEY",
        "KEYS",
        "APIKEY",
        "TOKEN",
        "SECRET",
        "SECRETS",
        "PASSWORD",
        "PASSWD",
        "PASSPHRASE",
        "CREDENTIAL",
        "CREDENTIALS",
    }
)
_BETWEEN_WORDS = re.compile(r"[^A-Z0-9]+")
_URL_WITH_PASSWORD = re.compile(r"://[^/\s:@]*:[^/\s@]+@")
_LETS_BUILDS_IN = re.compile(
    r"PIP_.*|UV_(.*_)?INDEX(_.*)?|CARGO_(REGISTRIES|HTTP)_.*|GO(PROXY|AUTH)|GIT_CONFIG_.*"
    r"|(HTTPS?|ALL)_PROXY"
)
"""Names of variables by which build tools are let into registries; none that is for publishing."""
_SHORTEST = 8
"""Characters: a shorter value is found in others by chance."""


def is_secret_name(name: str) -> bool:
    """Whether the name of a variable says that it holds a secret: `MY_API_KEY`, `HF_TOKEN`."""
    return not _SECRET_WORDS.isdisjoint(_BETWEEN_WORDS.split(name.upper()))


def without_secrets(
    environment: Mapping[str, str], *, keeps: Callable[[str], bool] = lambda _name: False
) -> dict[str, str]:
    """The variables that a child may have.

    Left out are those whose name says that they are secret, those that repeat the value of such
    a one, and URLs with a password.

    Args:
        environment: ours.
        keeps: names that the child needs nevertheless.
    """
    secrets = {
        value
        for name, value in environment.items()
        if is_secret_name(name) and len(value) >= _SHORTEST
    }
    return {
        name: value
        for name, value in environment.items()
        if keeps(name)
        or not (
            is_secret_name(name)
            or _URL_WITH_PASSWORD.search(value)
            or any(secret in value for secret in secrets)
        )
    }


def is_for_builds(name: str) -> bool:
    """Whether a build may need the variable to fetch what it compiles, secret or not."""
    return bool(_LETS_BUILDS_IN.fullmatch(name.upper()))
