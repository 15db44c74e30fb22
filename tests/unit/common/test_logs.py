"""Logs: their end, and what is left of one that grew too large."""

from pathlib import Path

from python_runner.common.logs import LEFT_OUT, cut, give_back, tail

LINE = b"x" * 99 + b"\n"


def test_the_last_lines_are_the_end(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("\n".join(f"line {number}" for number in range(100_000)))
    assert tail(log, 2) == "line 99998\nline 99999"
    assert tail(tmp_path / "none") == ""


def test_a_line_without_end_is_shortened(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"x" * 10_000_000)
    assert len(tail(log)) < 1000


def test_a_small_log_is_left_alone(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(LINE * 10)
    assert not cut(log, limit=1000)
    assert log.read_bytes() == LINE * 10


def test_the_middle_of_a_large_log_is_cut_out(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"version 1\n" + LINE * 100_000 + b"last words\n")
    with log.open("ab") as writer:
        assert cut(log, limit=5_000_000)
        writer.write(b"after it\n")
    kept = log.read_bytes()
    assert kept.startswith(b"version 1\n")
    assert kept.endswith(b"last words\nafter it\n")
    assert len(kept) < 3_000_000
    assert kept.count(LEFT_OUT) == 1


def test_it_can_be_cut_again_and_again(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"version 1\n")
    for number in range(5):
        with log.open("ab") as writer:
            writer.write(LINE * 60_000 + b"words %d\n" % number)
        assert cut(log, limit=5_000_000)
    kept = log.read_bytes()
    assert kept.count(LEFT_OUT) == 1
    assert kept.startswith(b"version 1\n")
    assert kept.endswith(b"words 4\n")


def test_a_log_that_is_gone_is_no_mistake(tmp_path: Path) -> None:
    assert not cut(tmp_path / "none")


def test_the_disk_of_the_middle_is_given_back_while_it_is_written(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"version 1\n" + LINE * 100_000)
    with log.open("ab") as writer:
        give_back(log, limit=5_000_000)
        writer.write(b"last words\n")
    assert log.stat().st_blocks * 512 < 5_000_000
    assert tail(log, 1) == "last words"
    assert log.read_bytes().startswith(b"version 1\n")
    assert cut(log, limit=5_000_000)
    kept = log.read_bytes()
    assert b"\0" not in kept
    assert kept.endswith(b"last words\n")
