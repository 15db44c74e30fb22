"""The diagnosis: what is in the way of a default stack."""

from collections.abc import Iterable
from dataclasses import dataclass

from python_runner.common.checkup import Finding, State
from python_runner.run.doctor import checkups, examine


@dataclass
class Paper:
    """A checkup on paper."""

    title: str
    findings: tuple[Finding, ...]

    def look(self) -> Iterable[Finding]:
        return self.findings


def finding(state: State, *, is_needed: bool) -> Finding:
    return Finding(subject="x", state=state, detail="", is_needed=is_needed)


def test_only_what_is_needed_and_missing_is_in_the_way() -> None:
    paper = Paper(
        "Stacks",
        (
            finding(State.LATER, is_needed=True),
            finding(State.MISSING, is_needed=False),
            finding(State.NOTE, is_needed=True),
        ),
    )
    assert examine([paper]).obstacles == ()
    missing = finding(State.MISSING, is_needed=True)
    assert examine([paper, Paper("Disk", (missing,))]).obstacles == (missing,)


def test_the_findings_stand_under_who_made_them() -> None:
    ready = finding(State.READY, is_needed=True)
    assert examine([Paper("a", (ready,)), Paper("b", ())]).sections == (("a", (ready,)), ("b", ()))


class Unreadable:
    """A checkup whose files cannot be read half-way."""

    title = "Torn"

    def look(self) -> Iterable[Finding]:
        yield finding(State.READY, is_needed=True)
        raise PermissionError(13, "Permission denied", "weights")


def test_a_part_that_breaks_off_does_not_cost_the_others_their_say() -> None:
    ready = finding(State.READY, is_needed=True)
    (_, torn), (_, whole) = examine([Unreadable(), Paper("b", (ready,))]).sections
    assert [one.state for one in torn] == [State.READY, State.MISSING]
    assert torn[1].detail == "Permission denied: weights"
    assert whole == (ready,)


def test_every_part_has_a_heading_of_its_own() -> None:
    titles = [part.title for part in checkups()]
    assert len(set(titles)) == len(titles)
    assert {"Machine", "Tools", "CPU flags", "Stacks", "Models", "Results"} == set(titles)
