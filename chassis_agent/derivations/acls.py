"""Which ACLs decide about the connections of a local port: what revocation asks again.

Kept for ports that are bound here, so that a change says exactly whose
connections to look at: an ACL's own change concerns the ports of its switch, a
port that joins or leaves a port group only itself.
"""

from collections.abc import Iterator
from typing import NamedTuple

from chassis_agent.compile import TemplateShelf
from chassis_agent.derivations.logical import GroupFlows
from chassis_agent.derivations.placement import Placement, placement
from chassis_agent.derivations.stages import GroupStages
from chassis_agent.derivations.templates import compiled_templates
from chassis_agent.derivations.variables import set_members
from incremental import Read
from logical_flow.payload import PackedFlow, decode_packed
from logical_flow.template import LogicalFlow
from southbound.rows import FlowGroup, SetMember


class SwitchAcls(NamedTuple):
    """The flows in the ACL stages of a switch, and the address sets that they name."""

    flows: tuple[PackedFlow, ...]
    address_sets: tuple[tuple[str, tuple[str, ...]], ...]


class PortAcls(NamedTuple):
    """All that decides about a port's connections, the port groups that it is in included."""

    acls: SwitchAcls
    port_groups: tuple[str, ...]


def acl_groups(key: int, stages: GroupStages) -> Iterator[tuple[str, int]]:
    """The flow groups with ACLs, by datapath."""
    if stages.has_acls:
        yield stages.datapath, key


def group_sets(key: int, group: GroupFlows) -> Iterator[tuple[int, str]]:
    """The sets that a flow group is made from, by group."""
    for name in group.sets:
        yield key, name


def port_groups_of(_key: str, row: SetMember) -> Iterator[tuple[str, str]]:
    """The port groups, by member."""
    if row.set.startswith("@"):
        yield row.member, row.set


def switches_with_ports(_name: str, place: Placement) -> Iterator[tuple[str, str]]:
    """The datapaths that have a port bound here."""
    if place.where == "here":
        yield place.datapath, ""


def switch_acls(read: Read, pair: tuple[str, str]) -> SwitchAcls:
    templates = compiled_templates(read)
    flows: list[PackedFlow] = []
    sets: set[str] = set()
    for key in read.members(acl_groups, pair[0]):
        group = read(FlowGroup, key)
        if group is None:
            continue
        flows += [
            packed
            for packed in decode_packed(group.payload)
            if packed and templates.shape((packed[0],)).has_acls
        ]
        sets.update(name for name in read.members(group_sets, key) if name.startswith("$"))
    return SwitchAcls(
        tuple(flows), tuple((name, read.members(set_members, name)) for name in sorted(sets))
    )


def port_acls(read: Read, name: str) -> PortAcls | None:
    place = read(placement, name)
    acls = None if place is None else read(switch_acls, (place.datapath, ""))
    if acls is None:
        return None
    return PortAcls(acls, read.members(port_groups_of, name))


def logical_flows(acls: SwitchAcls, shelf: TemplateShelf) -> list[LogicalFlow]:
    """The flows as their templates and arguments, or as what stands in for them."""
    flows = (shelf.logical_flow(packed) for packed in acls.flows)
    return [flow for flow in flows if flow is not None]
