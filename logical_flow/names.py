"""What is known of domain names on a switch, and what a question for one is answered.

Names are in lower case, without the dot at the end. What is not known here is left to the
server that was asked.
"""

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple, Protocol

A: Final = 1
PTR: Final = 12
AAAA: Final = 28
ANY: Final = 255

TYPE_NAMES: Final = {A: "A", PTR: "PTR", AAAA: "AAAA", ANY: "ANY"}


class KnownName(Protocol):
    """A name, with what it has; rows of names are such."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def ttl(self) -> int: ...
    @property
    def addresses(self) -> Collection[str]: ...
    @property
    def pointer(self) -> str: ...
    @property
    def owned(self) -> bool: ...
    @property
    def covers(self) -> bool:
        """Whether it speaks for all names below it."""
        ...


class Answer(NamedTuple):
    """What a name has of the type that was asked for; `exists` is false for a name that isn't.

    `ttl` is in seconds.
    """

    addresses: tuple[str, ...] = ()
    pointers: tuple[str, ...] = ()
    ttl: int = 0
    exists: bool = True

    def __str__(self) -> str:
        if not self.exists:
            return "there is no such name"
        return ", ".join((*self.addresses, *self.pointers)) or "nothing of that type"


class NameTable:
    """The names that are known on one switch."""

    def __init__(self, names: Iterable[KnownName] = ()) -> None:
        self._names: dict[str, dict[str, KnownName]] = {}
        for name in names:
            self.put(name)

    def __bool__(self) -> bool:
        return bool(self._names)

    def put(self, known: KnownName) -> None:
        self._names.setdefault(known.name, {})[known.id] = known

    def remove(self, known: KnownName) -> None:
        same = self._names.get(known.name, {})
        same.pop(known.id, None)
        if not same:
            self._names.pop(known.name, None)

    def look_up(self, name: str, kind: int) -> Answer | None:
        """Return the answer, or None for what only the server can answer that was asked.

        Records of one name add up. A name that has addresses has no other ones: a question for
        those of the other family isn't passed on, as an answer that there is no such name would
        be taken for both.
        """
        known = [each for each in self._names.get(name, {}).values() if not each.covers]
        addresses = [a for each in known for a in each.addresses if kind in (_type_of(a), ANY)]
        pointers = [each.pointer for each in known if each.pointer and kind in (PTR, ANY)]
        if addresses or pointers:
            ttl = min(each.ttl for each in known)
            return Answer(tuple(dict.fromkeys(addresses)), tuple(dict.fromkeys(pointers)), ttl)
        domain = self._domain_of(name)
        is_ours = domain is not None or any(each.owned for each in known)
        if known and (is_ours or (kind in (A, AAAA) and any(each.addresses for each in known))):
            return Answer(ttl=min(each.ttl for each in known))
        if domain is not None:
            return Answer(ttl=domain.ttl, exists=domain.name == name)
        return None

    def sources(self, name: str, kind: int) -> list[KnownName]:
        """Return what the answer rests on, empty for what nothing is known of.

        These are the records that have something of the type; else all of the name; else the
        domain around it.
        """
        known = [each for each in self._names.get(name, {}).values() if not each.covers]
        having = [each for each in known if NameTable((each,)).has(name, kind)]
        domain = self._domain_of(name)
        return having or known or ([] if domain is None else [domain])

    def has(self, name: str, kind: int) -> bool:
        """Return whether a name has something of a type."""
        answer = self.look_up(name, kind)
        return answer is not None and bool(answer.addresses or answer.pointers)

    def _domain_of(self, name: str) -> KnownName | None:
        """Return the nearest domain that is spoken for here, of the name or around it."""
        while name:
            for each in self._names.get(name, {}).values():
                if each.covers:
                    return each
            name = name.partition(".")[2]
        return None


def _type_of(address: str) -> int:
    return AAAA if ":" in address else A
