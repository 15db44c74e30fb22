"""Who listens on a port, by the kernel's table."""

from pathlib import Path

from python_runner.common.ports import listeners

TABLE = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1267 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1 1
   1: 00000000:1267 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 2 1
   2: 0100007F:1267 0100007F:9999 01 00000000:00000000 00:00000000 00000000  1000        0 3 1
   3: 0100007F:1268 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4 1
"""


def test_listeners_of_a_port_are_counted_and_connections_are_not(tmp_path: Path) -> None:
    table = tmp_path / "tcp"
    table.write_text(TABLE)
    assert listeners(0x1267, table) == 2
    assert listeners(0x1268, table) == 1
    assert listeners(0x1269, table) == 0


def test_without_a_table_nobody_is_seen(tmp_path: Path) -> None:
    assert listeners(80, tmp_path / "none") == 0
