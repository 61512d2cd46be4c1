"""Answers of traces and explanations: three of them, and what they rest on.

A network is never known to the end: who is behind a port, from which port of its own a
client asks, what a switch that can't be asked does. Where the answer hangs on such a thing it is
neither yes nor no: it is *not known*, because of that. What was taken for granted though
nobody has said so is an *assumption*, told with the answer.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, NamedTuple


class Answer(StrEnum):
    """Whether something holds."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "not-known"

    @property
    def truth(self) -> bool | None:
        """The same as a value of JSON; None where it is not known."""
        return {Answer.YES: True, Answer.NO: False}.get(self)


def all_of(answers: Iterable[Answer]) -> Answer:
    """Whether all hold: one that doesn't decides, then one that is not known.

    >>> str(all_of([Answer.YES, Answer.UNKNOWN])), str(all_of([Answer.UNKNOWN, Answer.NO]))
    ('not-known', 'no')
    """
    found = set(answers)
    if Answer.NO in found:
        return Answer.NO
    return Answer.UNKNOWN if Answer.UNKNOWN in found else Answer.YES


class AssumptionKind(StrEnum):
    """What an assumption is about."""

    OWNER = "owner"
    """Who has an address that no port is declared to have."""
    UNUSED = "unused"
    """That nobody has an address, where no port security keeps ports from it."""
    CLIENT_PORT = "client-port"
    """From which port a client asks."""
    GUEST = "guest"
    """How a workload sends to its own subnet."""
    ADDRESS = "address"
    """Which of several addresses an end uses."""
    BACKEND = "backend"
    """Which backend of a virtual address a connection gets."""
    EXTERNAL_PORT = "external-port"
    """That a port of an external address is free, which a NAT gives to many."""
    OUTSIDE = "outside"
    """What becomes of packets beyond a port that leads out of the overlay."""
    NAME = "name"
    """Which server a DNS query is for, and that one to which it is passed on knows the name."""
    WORKLOAD = "workload"
    """How a workload's frames get to its port: with which tag, on which chassis."""
    HYPERVISOR = "hypervisor"
    """That what is to be done on a hypervisor works."""


class Assumption(NamedTuple):
    """What an answer takes for granted: "it is assumed that …", `text` being the rest.

    `otherwise` is what the answer would be if it were not so, where that was found out.
    """

    kind: AssumptionKind
    text: str
    otherwise: str | None = None

    def document(self) -> dict[str, Any]:
        return {**self._asdict(), "kind": self.kind.value}
