"""Which engines the suite is about: all, but those that are installed on request only.

POLYSTACK_TEST_ON_REQUEST names those that it is to have, too, separated by commas.
"""

from __future__ import annotations

import os

from python_runner.engines.table import engine_names, is_on_request

VARIABLE = "POLYSTACK_TEST_ON_REQUEST"


def names_under_test(*, include_hidden: bool = False) -> tuple[str, ...]:
    """Names of the engines that the tests run."""
    asked = os.environ.get(VARIABLE, "").split(",")
    every = engine_names(include_hidden=include_hidden)
    return tuple(name for name in every if not is_on_request(name) or name in asked)
