"""One end of the pipes, against the other end held by the test."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from python_runner.engines.worker import wire
from python_runner.engines.worker.channel import Channel
from python_runner.engines.worker.idle import StalledError


@dataclass(frozen=True, kw_only=True)
class Ends:
    channel: Channel
    feed: int
    """What is written here, the channel receives."""
    taken: int
    """What the channel sends, can be read here."""


@pytest.fixture
def ends() -> Iterator[Ends]:
    reading, feed = os.pipe()
    taken, writing = os.pipe()
    channel = Channel(reading=reading, writing=writing)
    yield Ends(channel=channel, feed=feed, taken=taken)
    channel.close()
    for descriptor in (feed, taken):
        try:
            os.close(descriptor)
        except OSError:
            continue  # the test has closed it


def test_what_is_sent_arrives(ends: Ends) -> None:
    ends.channel.send(wire.Tokenize(text="grün"), 10.0)
    assert wire.decode(os.read(ends.taken, 1000)) == wire.Tokenize(text="grün")


def test_a_message_in_pieces_is_put_together(ends: Ends) -> None:
    message = wire.TokenIds(ids=(1, 2, 3))
    line = wire.encode(message)
    pieces = [line[i : i + 5] for i in range(0, len(line), 5)]
    feeder = threading.Thread(target=lambda: [os.write(ends.feed, piece) for piece in pieces])
    feeder.start()
    assert ends.channel.receive(10.0) == message
    feeder.join()


def test_two_messages_in_one_piece_are_taken_apart(ends: Ends) -> None:
    os.write(ends.feed, wire.encode(wire.Ready()) + wire.encode(wire.Quit()))
    assert ends.channel.receive(10.0) == wire.Ready()
    assert ends.channel.receive(10.0) == wire.Quit()


def test_a_message_longer_than_a_pipe_holds_arrives(ends: Ends) -> None:
    message = wire.TokenIds(ids=tuple(range(100_000)))
    feeder = threading.Thread(target=lambda: _write_all(ends.feed, wire.encode(message)))
    feeder.start()
    assert ends.channel.receive(10.0) == message
    feeder.join()


def test_silence_is_a_timeout(ends: Ends) -> None:
    os.write(ends.feed, b'{"kind"')
    with pytest.raises(TimeoutError):
        ends.channel.receive(0.01)


def test_a_long_message_that_nobody_reads_is_a_timeout(ends: Ends) -> None:
    with pytest.raises(TimeoutError):
        ends.channel.send(wire.TokenIds(ids=tuple(range(100_000))), 0.01)


def test_a_long_message_that_is_read_late_arrives_whole(ends: Ends) -> None:
    message = wire.TokenIds(ids=tuple(range(100_000)))
    taken = bytearray()

    def take() -> None:
        while not taken.endswith(b"\n"):
            taken.extend(os.read(ends.taken, 1000))

    reader = threading.Thread(target=take)
    reader.start()
    ends.channel.send(message, 10.0)
    reader.join()
    assert wire.decode(bytes(taken)) == message


@dataclass
class Watch:
    """Does something at the third look."""

    then: Callable[[], object]
    every_s: float = 0.001
    looks: int = 0

    def look(self) -> None:
        self.looks += 1
        if self.looks == 3:
            self.then()


def test_who_waits_looks_around_meanwhile(ends: Ends) -> None:
    watch = Watch(lambda: os.write(ends.feed, wire.encode(wire.Ready())))
    assert ends.channel.receive(10.0, watch) == wire.Ready()
    assert watch.looks >= 3


def test_what_is_seen_meanwhile_can_end_the_wait(ends: Ends) -> None:
    def end() -> None:
        raise StalledError

    with pytest.raises(StalledError):
        ends.channel.receive(10.0, Watch(end))


def test_the_end_of_the_other_end_is_told(ends: Ends) -> None:
    os.close(ends.feed)
    with pytest.raises(EOFError):
        ends.channel.receive(10.0)


def test_sending_to_nobody_is_told(ends: Ends) -> None:
    os.close(ends.taken)
    with pytest.raises(BrokenPipeError):
        ends.channel.send(wire.Quit(), 10.0)


def test_closing_twice_is_safe(ends: Ends) -> None:
    ends.channel.close()
    ends.channel.close()
    assert ends.channel.is_closed


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
