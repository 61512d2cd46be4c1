"""What a port's `requested_chassis` stands for.

Users write names of two kinds: a chassis' own name (its ``system-id``), or the host name
that it registered with, which is what schedulers know. This is the one place that tells
which chassis they mean: :class:`~southbound.facts.Facts` decides by the answer who has a
port, and puts it into the port's row, by which agents go.

A chassis' own name comes before host names, so that registering with a host name that is
another's ``system-id`` gains nothing. A host name that several chassis have is ambiguous
while more than one of them is alive: then it stands for the one that has the port already
if there is such, and else for none. Of a host that came back under another name the dead
row thus doesn't get in the way.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from southbound.rows import Chassis, PortBinding


class Resolved(NamedTuple):
    """The chassis that may have a port, the first named first, and what is wrong with names."""

    chassis: tuple[str, ...]
    problems: tuple[str, ...]


class HostNames:
    """Which chassis have which host name."""

    def __init__(self) -> None:
        self._by_hostname: dict[str, set[str]] = {}
        self._hostnames: dict[str, str] = {}

    def put(self, chassis: Chassis) -> frozenset[str]:
        """A chassis is there. Returns the names that may now stand for something else."""
        before = self._hostnames.get(chassis.name)
        changed = self._forget(chassis.name)
        self._hostnames[chassis.name] = chassis.hostname
        self._by_hostname.setdefault(chassis.hostname, set()).add(chassis.name)
        return frozenset((chassis.name, chassis.hostname, *changed, before or chassis.hostname))

    def remove(self, chassis: str) -> frozenset[str]:
        """A chassis is no more. Returns the names that may now stand for something else."""
        return frozenset((chassis, *self._forget(chassis)))

    def resolve(
        self, requested: Sequence[str], alive: Callable[[str], bool], holders: Sequence[str] = ()
    ) -> Resolved:
        """What the names stand for, given the chassis that have the port now.

        A host name that several live chassis have stands for one of those, and rather for one that
        no other name stands for.
        """
        living = {name: self._living(name, alive) for name in requested}
        certain = {each[0] for each in living.values() if len(each) == 1}
        found: dict[str, None] = {}
        problems = []
        for name, chassis in living.items():
            if len(chassis) == 1:
                found[chassis[0]] = None
            elif not chassis:
                problems.append(f"there is no chassis or host named {name}")
            else:
                problem = (
                    f"the host name {name} is ambiguous: chassis {' and '.join(chassis)} have it"
                )
                keepers = [holder for holder in holders if holder in chassis]
                if keepers:
                    keeper = next((each for each in keepers if each not in certain), keepers[0])
                    found[keeper] = None
                    problem += f"; {keeper} keeps the port"
                problems.append(problem)
        return Resolved(tuple(found), tuple(problems))

    def _living(self, name: str, alive: Callable[[str], bool]) -> list[str]:
        """Return the chassis that a name may stand for, those that live if there are such."""
        named = [name] if name in self._hostnames else sorted(self._by_hostname.get(name, ()))
        return [chassis for chassis in named if alive(chassis)] or named

    def _forget(self, chassis: str) -> Iterable[str]:
        hostname = self._hostnames.pop(chassis, None)
        if hostname is None:
            return ()
        chassis_there = self._by_hostname[hostname]
        chassis_there.discard(chassis)
        if not chassis_there:
            del self._by_hostname[hostname]
        return (hostname,)


def unresolved(binding: PortBinding, chassis: Mapping[str, Chassis]) -> tuple[str, ...]:
    """What is wrong with the names that a port requests, given all chassis by name."""
    if not binding.requested_chassis:
        return ()
    names = HostNames()
    for row in chassis.values():
        names.put(row)

    def alive(name: str) -> bool:
        return name in chassis and chassis[name].alive

    return names.resolve(binding.requested_chassis, alive, binding.all_chassis).problems


class Requests:
    """Which ports name which chassis or host, so that they can be looked at anew."""

    def __init__(self) -> None:
        self._by_name: dict[str, set[str]] = {}
        self._names: dict[str, tuple[str, tuple[str, ...]]] = {}

    def put(self, binding: PortBinding) -> None:
        known = self._names.get(binding.id)
        wanted = (binding.name, binding.requested_chassis)
        if known == wanted or (known is None and not binding.requested_chassis):
            return
        self.remove(binding.id)
        if binding.requested_chassis:
            self._names[binding.id] = wanted
            for name in binding.requested_chassis:
                self._by_name.setdefault(name, set()).add(binding.id)

    def remove(self, binding_id: str) -> None:
        _, names = self._names.pop(binding_id, ("", ()))
        for name in names:
            ids = self._by_name[name]
            ids.discard(binding_id)
            if not ids:
                del self._by_name[name]

    def ports_naming(self, names: Iterable[str]) -> list[str]:
        """The logical names of the ports that request one of these, in order."""
        ids = {id_ for name in names for id_ in self._by_name.get(name, ())}
        return sorted(self._names[id_][0] for id_ in ids)

    def ports(self) -> list[str]:
        """The logical names of all ports that request a chassis, in order."""
        return sorted(port for port, _ in self._names.values())
