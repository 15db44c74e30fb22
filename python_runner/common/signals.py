"""The signals by which a user ends a program, held back while something is to be done whole."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_ENDINGS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def endings_held() -> Iterator[None]:
    """Ctrl-C and SIGTERM wait until the block is over, and then do what they would have done.

    Python hands signals to its main thread alone: in another one there is nothing to hold. If
    the block fails, its error goes up and the signal is forgotten: the program ends either way.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = {
        number: signal.signal(number, lambda seen, _frame: came.append(seen)) for number in _ENDINGS
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    for held in dict.fromkeys(came):
        signal.raise_signal(held)
