"""Which security groups a port is in, and what holds for every port with port security.

A port is in a security group as it is in any port group. Ports with port security are, besides,
in a port group of their project whose ACLs drop what no rule allows: so a port without any
security group gets nothing, and one without port security is not looked at. That group is made
with the project's first such port. It has no rules that clients see.

What passes whatever rules say is ARP, neighbour and multicast listener discovery (which no ACL
is asked about: :mod:`translator.features.acl`) and a client's side of DHCP. What answers as a
DHCP server, or advertises itself as a router, port security stops.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from sqlalchemy import select

from api.neutron.errors import NeutronError
from api.neutron.security.groups import (
    RULE_PRIORITY,
    TIER,
    SecurityGroupNotFoundError,
    default_group,
)
from northbound.inserting import batched
from northbound.models import (
    LogicalSwitchPort,
    NeutronPort,
    NeutronSecurityGroup,
    PortGroup,
    PortGroupPort,
)
from northbound.services import ACLS, PORT_GROUPS
from northbound.transaction import Reader, Transaction

__all__ = ["default_group", "groups_of", "join_default_group", "set_groups", "set_protected"]

PROTECTED: Final = "neutron_drop"
"""The port group of a project's ports with port security, by its name."""

DROP_PRIORITY: Final = RULE_PRIORITY - 1

_CLIENT = "((ip4 && udp.src == 68 && udp.dst == 67) || (ip6 && udp.src == 546 && udp.dst == 547))"
_SERVER = "((ip4 && udp.src == 67 && udp.dst == 68) || (ip6 && udp.src == 547 && udp.dst == 546))"


class Protection(NamedTuple):
    """An ACL that all ports with port security have; its name is what explanations call it."""

    name: str
    direction: str
    priority: int
    match: str
    action: str


_NO_RULE, _DHCP = "no security group allows it", "DHCP of a client"

PROTECTION: Final = (
    Protection(_DHCP, "from-lport", RULE_PRIORITY, f"inport == @{PROTECTED} && {_CLIENT}", "allow"),
    Protection(_NO_RULE, "from-lport", DROP_PRIORITY, f"inport == @{PROTECTED} && ip", "drop"),
    Protection(_DHCP, "to-lport", RULE_PRIORITY, f"outport == @{PROTECTED} && {_SERVER}", "allow"),
    Protection(_NO_RULE, "to-lport", DROP_PRIORITY, f"outport == @{PROTECTED} && ip", "drop"),
)
"""The ACLs of that group."""


def set_groups(tx: Transaction, port: LogicalSwitchPort, group_ids: Sequence[str]) -> None:
    """Let a port be in these security groups and no others.

    They have to be of the port's project, and all stateful or none. Raises
    SecurityGroupNotFoundError, or SecurityGroupConflict as a NeutronError.
    """
    wanted = dict.fromkeys(each.lower() for each in group_ids)
    _check_groups(tx, port, list(wanted))
    present = groups_of(tx, [port.id]).get(port.id, [])
    for group_id in present:
        if group_id not in wanted:
            PORT_GROUPS.remove_ports(tx, group_id, [port.id])
    for group_id in wanted:
        if group_id not in present:
            PORT_GROUPS.add_ports(tx, group_id, [port.id])


def join_default_group(tx: Transaction, port: LogicalSwitchPort) -> None:
    """Let a port that is new, and so in no group, be in its project's default group."""
    PORT_GROUPS.add_ports(tx, default_group(tx, port.project), [port.id])


def set_protected(tx: Transaction, port: LogicalSwitchPort, enabled: bool) -> None:
    """Let what no rule allows be dropped on a port, or not."""
    group = tx.named(PortGroup, PROTECTED, port.project)
    if group is not None:
        change = PORT_GROUPS.add_ports if enabled else PORT_GROUPS.remove_ports
        change(tx, group.id, [port.id])
    elif enabled:
        _protect_project(tx, port)


def groups_of(reader: Reader, port_ids: Sequence[str]) -> Mapping[str, list[str]]:
    """Return the security groups that ports are in, sorted, by port."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    columns = (
        select(PortGroupPort.logical_switch_port_id, PortGroupPort.port_group_id)
        .join(NeutronSecurityGroup, NeutronSecurityGroup.id == PortGroupPort.port_group_id)
        .order_by(PortGroupPort.port_group_id)
    )
    for some in batched(port_ids):
        query = columns.where(PortGroupPort.logical_switch_port_id.in_(some))
        for port_id, group_id in reader.session.execute(query):
            groups[port_id].append(group_id)
    return groups


def _check_groups(tx: Transaction, port: LogicalSwitchPort, group_ids: Sequence[str]) -> None:
    if not group_ids:
        return
    query = select(NeutronSecurityGroup.id, NeutronSecurityGroup.stateful).where(
        NeutronSecurityGroup.id.in_(group_ids), NeutronSecurityGroup.project == port.project
    )
    stateful: dict[str, bool] = {row[0]: row[1] for row in tx.session.execute(query)}
    missing = [each for each in group_ids if each not in stateful]
    if missing:
        raise SecurityGroupNotFoundError(", ".join(missing))
    if len(set(stateful.values())) > 1:
        message = (
            "Error Cannot apply both stateful and stateless security groups on the same port at "
            "the same time while attempting the operation."
        )
        raise NeutronError(409, "SecurityGroupConflict", message)


def _protect_project(tx: Transaction, port: LogicalSwitchPort) -> None:
    """Make the group of a project's ports with port security, with all that there are."""
    tx.flush()
    query = (
        select(LogicalSwitchPort.id, LogicalSwitchPort.port_security)
        .join(NeutronPort, NeutronPort.id == LogicalSwitchPort.id)
        .where(LogicalSwitchPort.project == port.project)
    )
    ports = {port.id, *(port_id for port_id, secured in tx.session.execute(query) if secured)}
    values = {"name": PROTECTED, "project": port.project, "ports": sorted(ports)}
    group = PORT_GROUPS.create(tx, values)
    for acl in PROTECTION:
        ACLS.create(tx, {"port_group": group.id, "tier": TIER, **acl._asdict()})
