"""A server whose schedule is known, and which stamps every event just before it writes it.

Times are nanoseconds of CLOCK_MONOTONIC, the same numbers as `time.monotonic_ns()` gives.
"""

from typing import final

__all__ = ["Truth", "TruthServer"]

@final
class TruthServer:
    """Listens on 127.0.0.1 and runs on a thread of its own, without the GIL.

    It answers POST `/v1/completions`, `/v1/chat/completions`, `/api/generate`, `/api/chat` and
    `/completion` as the real servers do, and GET `/health`, `/v1/models`, `/api/tags`,
    `/api/version`, `/props` and `/truth` (what `truth` gives, as JSON).
    """

    def __new__(
        cls,
        *,
        port: int = 0,
        ttft: str = "50ms",
        itl: str = "10ms",
        tokens: int = 100,
        tokens_per_chunk: int = 1,
        chunks_per_write: int = 1,
        slow_every: int = 0,
        slow_extra: str = "0ms",
        slots: int = 0,
        stall_after: str = "0ms",
        stall_for: str = "0ms",
        seed: int = 0,
        fault: str = "",
        fault_every: int = 1,
        numbered: bool = False,
    ) -> TruthServer:
        """Start it.

        Args:
            port: where to listen; 0: a free port.
            ttft: from a request (or its slot) to the first event: `50ms`, `uniform:40ms,60ms`,
                `lognormal:50ms,0.3` (median, sigma) or `exponential:50ms`.
            itl: from one event to the next.
            tokens: of an answer whose request does not say how many it wants.
            tokens_per_chunk: tokens in one event.
            chunks_per_write: events in one write; the earlier ones wait for the last.
            slow_every: so many gaps from one longer gap to the next; 0: none.
            slow_extra: by how much it is longer.
            slots: requests that are answered at once, the others wait; 0: all.
            stall_after: from the first request to a time in which nothing is written.
            stall_for: how long that time is.
            seed: for what is drawn.
            fault: what it does wrong, by name; an unknown name is answered with all of them.
            fault_every: to every so many requests.
            numbered: each token is a word of its own, ` 17.3`: the request's number and the
                token's, both from 0. Else eight words come in turn, in every answer the same.

        Raises:
            ValueError: an argument makes no sense.
            OSError: the port is taken.
        """

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`."""

    def truth(self) -> Truth:
        """What really happened to the requests that are answered, in the order of their ends."""

    def take(self) -> Truth:
        """The same, of those that were not taken yet; they are forgotten here."""

    def clear(self) -> None:
        """Forget them."""

    @property
    def lateness_ns(self) -> tuple[int, int, int]:
        """p50, p99 and the worst of written - due, over all events so far."""

    @property
    def cpu_ns(self) -> int:
        """CPU time of its thread, a tenth of a second old at most."""

    def stop(self) -> None:
        """End it; open connections are closed. Safe to call twice."""

@final
class Truth:
    """n requests and the m events with content of their answers.

    Columns of `bytes` are little-endian, for `numpy.frombuffer`.
    """

    @property
    def request_id(self) -> tuple[str, ...]:
        """(n): the value of `X-Request-Id`, else its number from 0 in order of arrival."""

    @property
    def seen_ns(self) -> bytes:
        """<i8 (n): the request was read whole."""

    @property
    def offsets(self) -> bytes:
        """<i8 (n + 1): events of request i are those from offset i up to offset i + 1."""

    @property
    def due_ns(self) -> bytes:
        """<i8 (m): as the schedule has it."""

    @property
    def written_ns(self) -> bytes:
        """<i8 (m): just before the write."""

    @property
    def tokens(self) -> bytes:
        """<i4 (m): tokens in it."""
