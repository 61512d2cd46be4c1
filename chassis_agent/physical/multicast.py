"""Multicast groups: a copy for every member here, one for every other chassis.

The chassis that a packet starts on makes all copies: for its own members, for
the patch ports (which are on every chassis, but whose datapath must see the
packet once), and one through the tunnel for each chassis that has members. That
one is delivered to members there and goes no further.

A group that is too wide for one flow goes on in `MULTICAST_REST`, a part at a
time, counted in reg9.
"""

from collections.abc import Iterable, Sequence

from chassis_agent import tables
from chassis_agent.flow import Flow
from chassis_agent.openflow import actions as act
from chassis_agent.openflow.oxm import FIELDS, Term
from chassis_agent.physical import tunnels
from chassis_agent.physical.registers import OUTPORT, flag, flow, on
from southbound.cookies import FIRST_GROUP_KEY

FIRST_KEY = FIRST_GROUP_KEY
"""Output port keys from here on are multicast groups, below it they are ports."""

KEYS = {
    "_MC_flood": FIRST_KEY,
    "_MC_mrouter_flood": FIRST_KEY + 1,
    "_MC_static": FIRST_KEY + 2,
    "_MC_unknown": FIRST_KEY + 3,
    "_MC_flood_l2": FIRST_KEY + 4,
}
"""The keys of the groups by name: the same in every datapath and on every chassis."""

_PRIORITY = 50
_PART = FIELDS["reg9"]
_PART_LIMIT = 32 * 1024
"""Bytes of actions in one flow; OpenFlow messages end at 64 KiB."""


def group_flows(
    datapath_key: int,
    group_key: int,
    *,
    local: Iterable[int],
    patch: Iterable[int],
    remote: Iterable[tunnels.Tunnel],
    cookie: int,
) -> list[Flow]:
    """The flows of one group.

    `local` and `patch` are the keys of its members that are bound here and of
    its patch ports, `remote` the ways to the chassis that have members.
    """
    here = [_copy(key) for key in sorted(local)]
    across = [_copy(key) for key in sorted(patch)]
    away = [tunnels.send(tunnel) for tunnel in sorted(remote, key=_by_address)]
    if away:
        away.insert(0, tunnels.encapsulate(datapath_key))
    return [
        *_parts(
            [*on(datapath_key, reg15=group_key), flag(tables.FROM_TUNNEL, is_set=True)],
            here,
            cookie,
        ),
        *_parts(
            [*on(datapath_key, reg15=group_key), flag(tables.FROM_TUNNEL, is_set=False)],
            [*across, *here, *away],
            cookie,
        ),
    ]


def _copy(port_key: int) -> bytes:
    return act.clone(act.set_field(OUTPORT, port_key) + act.resubmit(tables.OUTPUT))


def _by_address(tunnel: tunnels.Tunnel) -> tuple[int, int, int]:
    remote = tunnel.remote
    return tunnel.ofport, 0 if remote is None else remote.version, int(remote or 0)


def _parts(terms: Sequence[Term], copies: Sequence[bytes], cookie: int) -> list[Flow]:
    """`copies` in as many flows as they need."""
    parts: list[bytes] = []
    for copy in copies:
        if not parts or len(parts[-1]) + len(copy) > _PART_LIMIT:
            parts.append(b"")
        parts[-1] += copy
    flows = []
    for number, actions in enumerate(parts):
        table, part_terms = tables.OUTPUT, list(terms)
        if number:
            table = tables.MULTICAST_REST
            part_terms.append(Term(_PART, number))
        if number + 1 < len(parts):
            actions += act.set_field(_PART, number + 1) + act.resubmit(tables.MULTICAST_REST)
        flows.append(flow(table, _PRIORITY, part_terms, actions, cookie=cookie))
    return flows
