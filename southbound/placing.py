"""What is known of a port at the place that it has: of one that moves, or goes where others go.

`known` are the facts as they were settled. A port may be on further chassis while it moves; a
nested one is where its parent is, a virtual one where the workload is that spoke for it last.
"""

from collections.abc import Callable, Collection, Iterable, Sequence

import msgspec

from southbound.moves import Moves
from southbound.port_types import PlacedBy
from southbound.rows import PortBinding
from southbound.store import PortFact
from southbound.virtual import Spoken, VirtualParents


class Placing:
    """Puts together the facts of ports. `known` has those of the port of an id."""

    def __init__(self, known: Callable[[str], PortFact]) -> None:
        self.moves = Moves()
        self.virtual = VirtualParents()
        self._known = known

    def fact(self, binding: PortBinding, chassis: str, further: tuple[str, ...]) -> PortFact:
        """Return what is known of a binding that is at `chassis`, and on `further` ones."""
        known = self._known(binding.id)
        up = known.up
        if known.chassis != chassis:
            up = self.moves.is_ready(binding.id, chassis)
        if not further:
            return PortFact(chassis, up)
        active = {*known.activated, *self.moves.activated(binding.iface_ids)}
        return PortFact(chassis, up, further, tuple(name for name in further if name in active))

    def fact_beside(self, binding: PortBinding) -> PortFact:
        """Return what is known of a binding that is where its parent is."""
        parent = self._known(binding.parent)
        fact = self.fact(binding, parent.chassis, parent.additional_chassis)
        return fact._replace(activated=parent.activated)

    def fact_spoken(
        self, binding: PortBinding, find: Callable[[str], PortBinding | None]
    ) -> PortFact:
        """Return what is known of a virtual port; `find` has the port of a name."""
        known = self._known(binding.id)
        name = self.virtual.parent_of(binding.name) or known.virtual_parent
        parent = find(name) if name in binding.virtual_parents else None
        if parent is None:
            return PortFact("", False)
        there = self._known(parent.id)
        return PortFact(there.chassis, there.up, virtual_parent=name)

    def said_by(
        self,
        chassis: str,
        spoken: Iterable[tuple[str, Spoken]],
        find: Callable[[str], PortBinding | None],
    ) -> list[str]:
        """Take what a chassis says of virtual ports; returns those that have another parent now."""
        allowed = []
        for port, said in spoken:
            binding, parent = find(port), find(said.parent)
            if binding is None or parent is None or said.parent not in binding.virtual_parents:
                continue
            if chassis in parent.all_chassis:
                allowed.append((binding.name, said))
        return self.virtual.state(allowed)

    def settled(self, binding: PortBinding, before: PortFact, further: Sequence[str]) -> None:
        """Note that a port is on these chassis beside its own from now on."""
        if before.chassis in further:
            self.moves.set_ready(binding.id, before.chassis, before.up)
        self.moves.end(binding.id, binding.iface_ids, further)

    def port_gone(self, binding: PortBinding) -> None:
        """Forget a port that is no more."""
        self.moves.remove(binding.id)
        self.virtual.remove(binding.name)


def further_chassis(
    candidates: Sequence[str] | None,
    chassis: str,
    claiming: Collection[str],
    alive: Callable[[str], bool],
) -> tuple[str, ...]:
    """Return the chassis that a port is on as well: all that were requested and have it."""
    return tuple(
        name for name in candidates or () if name != chassis and name in claiming and alive(name)
    )


def unbound(binding: PortBinding) -> PortBinding:
    """The binding of a port that no plug places: up everywhere, or nowhere if it isn't known."""
    intent = binding.without_facts()
    is_everywhere = binding.kind.placed_by is PlacedBy.NONE_NEEDED
    return msgspec.structs.replace(intent, up=True) if is_everywhere else intent
