"""Ids of flow groups: small numbers for long origins.

A flow group's *origin* says which derivation yields it for which key. Its id is
the OpenFlow cookie, so it must be short, stay the same for as long as the group is
known (also over restarts), and never name two groups that an agent may see at once.
"""

from collections.abc import Iterable

from southbound.errors import UnknownGroupError


class GroupIds:
    """Gives every origin a number of its own. Numbers are not used twice."""

    def __init__(self, known: Iterable[tuple[str, int]] = (), next_id: int = 1) -> None:
        self._ids = dict(known)
        self._origins = {number: origin for origin, number in self._ids.items()}
        self._next = next_id

    @property
    def next_id(self) -> int:
        """All numbers from here on are still free."""
        return self._next

    def __len__(self) -> int:
        return len(self._ids)

    def id_of(self, origin: str) -> int:
        """The number of `origin`, allocated now if it has none."""
        number = self._ids.get(origin)
        if number is None:
            number = self._next
            self._next += 1
            self._ids[origin] = number
            self._origins[number] = origin
        return number

    def known(self, origin: str) -> int | None:
        """The number of `origin`, if it has one."""
        return self._ids.get(origin)

    def origin_of(self, number: int) -> str:
        try:
            return self._origins[number]
        except KeyError:
            raise UnknownGroupError(f"flow group {number} has no origin") from None

    def forget(self, number: int) -> None:
        """The group is gone; its origin gets a new number should it come back."""
        del self._ids[self._origins.pop(number)]


class ProposedGroupIds:
    """Numbers for the groups of a change that isn't made: those known keep theirs.

    New ones get negative numbers, which no stored group has; none is taken up.
    """

    def __init__(self, groups: GroupIds) -> None:
        self._groups = groups
        self._new: dict[str, int] = {}

    def id_of(self, origin: str) -> int:
        number = self._groups.known(origin)
        if number is None:
            number = self._new.setdefault(origin, -1 - len(self._new))
        return number
