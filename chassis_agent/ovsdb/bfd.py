"""What Open vSwitch tells of the BFD session of an interface, read from `bfd_status`. Pure.

The map is the switch's: keys and values as in ovs-vswitchd.conf.db(5), states as in RFC 5880
section 4.1. A switch of another release may tell less, or a word that isn't known here; what
can't be read is None and never taken for a session that is down.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

_MOST_DIGITS: Final = 20


class BfdState(StrEnum):
    """The states of a session: RFC 5880, section 6.2."""

    ADMIN_DOWN = "admin_down"
    DOWN = "down"
    INIT = "init"
    UP = "up"


class BfdStatus(NamedTuple):
    """A BFD session as one end sees it; None is what the switch doesn't tell.

    `is_forwarding` is whether the switch sends packets that way: a session that is up may be
    told by its peer that the path behind it is down. `flaps` counts changes of `is_forwarding`
    since the session began.
    """

    state: BfdState | None = None
    is_forwarding: bool | None = None
    diagnostic: str = ""
    remote_state: BfdState | None = None
    remote_diagnostic: str = ""
    flaps: int | None = None

    @property
    def is_usable(self) -> bool | None:
        """Whether packets get to the other end, or None where that isn't known."""
        if self.state is None:
            return None
        if self.state is not BfdState.UP:
            return False
        return self.is_forwarding


def read_bfd_status(status: Mapping[str, str]) -> BfdStatus | None:
    """Return what `bfd_status` tells, or None where no BFD runs on the interface."""
    if not status:
        return None
    return BfdStatus(
        state=_state(status.get("state", "")),
        is_forwarding={"true": True, "false": False}.get(status.get("forwarding", "")),
        diagnostic=status.get("diagnostic", ""),
        remote_state=_state(status.get("remote_state", "")),
        remote_diagnostic=status.get("remote_diagnostic", ""),
        flaps=_count(status.get("flap_count", "")),
    )


def _state(text: str) -> BfdState | None:
    return next((state for state in BfdState if state == text), None)


def _count(text: str) -> int | None:
    """Return a number of the database's own size; `int` refuses very long ones."""
    is_number = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
    return int(text) if is_number else None
