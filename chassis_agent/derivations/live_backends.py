"""Virtual addresses with the backends that are in use, and where: whose connections go on."""

from collections.abc import Iterator
from typing import NamedTuple

from chassis_agent.derivations.backends import in_use
from chassis_agent.derivations.logical import GroupFlows
from chassis_agent.derivations.variables import address_here, set_members
from incremental import Read
from logical_flow.backends import BACKENDS_SIGIL
from southbound.rows import VirtualAddress


class LiveBackends(NamedTuple):
    """A virtual address, and the backends that get its connections."""

    row: VirtualAddress
    members: tuple[str, ...]


def live_backends(read: Read, name: str) -> LiveBackends | None:
    """The backends of a set that are in use. It is known as a whole where its address is."""
    here = read(address_here, name)
    if here is None or here.row is None:
        return None
    return LiveBackends(here.row, in_use(read, name, read.members(set_members, name)))


def uses_of_backends(_key: int, group: GroupFlows) -> Iterator[tuple[str, str]]:
    """Set of backends -> the datapaths with flows for it."""
    for name in group.sets:
        if name.startswith(BACKENDS_SIGIL):
            yield name, group.datapath


def placed_front(read: Read, use: tuple[str, str]) -> VirtualAddress | None:
    """The virtual address of a set of backends on a datapath with flows for it."""
    here = read(address_here, use[0])
    return None if here is None else here.row


def fronts_at(use: tuple[str, str], row: VirtualAddress) -> Iterator[tuple[tuple[str, str], str]]:
    """Datapath and address -> the sets of backends of what stands at the address there."""
    name, datapath = use
    yield (datapath, row.address), name
