from python_runner.measure import MachineProbe


def test_both_parts_take_some_time() -> None:
    probe = MachineProbe()
    first, second = probe.read(), probe.read()
    assert min(first.compute_ns, first.memory_ns, second.compute_ns, second.memory_ns) > 0
