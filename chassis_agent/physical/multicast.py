"""Multicast groups: a copy for every member here, one for every other chassis.

The chassis that a packet starts on makes all copies: for its own members, for
the patch ports (which are on every chassis, but whose datapath must see the
packet once), and one through the tunnel for each chassis that has members. That
one is delivered to members there and goes no further.

Each copy visits the egress pipeline, so a wide group would exceed what Open vSwitch
does for one packet (:mod:`chassis_agent.bridge.limits`), and then all copies are lost. The
members of a group that is too wide for one translation are dealt out in parts, numbered
in reg9, whose flows are in `MULTICAST_REST`. Each part is a translation of its own: the
packet is handed to the OpenFlow group `FORK`, of which a copy recirculates. The parts
leave side by side from the first one, which makes copies for tunnels only: the members of
one part, however many resubmits they take, cannot starve those of another, and datapaths
limit how often a packet may recirculate in a row.

What makes a packet recirculate is that Open vSwitch has to hash it before it can choose
from a group of type ``select`` by ``dp_hash``; there is one bucket to choose. A packet
keeps its hash: if one reaches a second group of this width on the same chassis, through a
router, that group is one translation. ``FORK`` is a group of type ``all`` because a
recirculation ends the actions that it stands among, but not those around such a group.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from chassis_agent import tables
from chassis_agent.bridge import limits
from chassis_agent.desired.objects import Group
from chassis_agent.desired.wanted import Wanted
from chassis_agent.openflow import actions as act
from chassis_agent.openflow.messages import Bucket, GroupType, SwitchGroup
from chassis_agent.openflow.oxm import FIELDS, Term
from chassis_agent.physical import tunnels
from chassis_agent.physical.registers import FLAGS, OUTPORT, flag, flow, on
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

PART_REGISTER: Final = "reg9"
RECIRCULATE: Final = 1
FORK: Final = 2
_ANY_HASH: Final = 1

OPENFLOW_GROUPS: Final = (
    Group.of(
        SwitchGroup(
            RECIRCULATE,
            GroupType.SELECT,
            (Bucket(0, act.resubmit(tables.MULTICAST_REST), weight=1),),
            selection_method="dp_hash",
            selection_parameter=_ANY_HASH,
        )
    ),
    Group.of(SwitchGroup(FORK, GroupType.ALL, (Bucket(0, act.group(RECIRCULATE)),))),
)
"""The OpenFlow groups that flows of wide multicast groups refer to."""

BUDGET: Final = limits.RESUBMITS // 2
"""Resubmits of one part. The other half is left for what the packet did before, and for
copies that take more than was reckoned with: one that a router answers."""

_PRIORITY = 50
_PART = FIELDS[PART_REGISTER]
_PART_BYTES = 32 * 1024
"""Bytes of actions in one flow; OpenFlow messages end at 64 KiB."""

_MOST_PARTS = 1024
_TUNNELS_AT_ONCE = limits.ACTION_BYTES // 2 // limits.TUNNEL_OUTPUT_BYTES


class Reach(NamedTuple):
    """How many resubmits a copy takes, at most: to an interface, and across a patch port."""

    local: int
    patch: int


class _Copy(NamedTuple):
    actions: bytes
    cost: int


def group_flows(
    datapath_key: int,
    group_key: int,
    *,
    local: Iterable[int],
    moving: Iterable[int] = (),
    patch: Iterable[int],
    gateways: Iterable[int] = (),
    remote: Iterable[tunnels.Tunnel],
    reach: Reach,
    cookie: int,
) -> Wanted:
    """The flows of one group, with the OpenFlow groups that they refer to, if any.

    `local` and `patch` are the keys of its members that are bound here and of its patch ports,
    `moving` those that are here and elsewhere, where they get a copy as members. `gateways` are
    those of links that are on this chassis only, which get a
    copy from wherever it starts; `remote` are the ways to the chassis that have members.
    Raises ValueError for a group that needs more parts than a flow can name.
    """
    here = [_copy(key, reach.local) for key in sorted(local)]
    here += [_copy(key, reach.local, stays=True) for key in sorted(moving)]
    here += [_copy(key, reach.patch) for key in sorted(gateways)]
    across = [_copy(key, reach.patch) for key in sorted(patch)]
    away = list(_sendings(datapath_key, sorted(remote, key=_by_address)))
    group = on(datapath_key, reg15=group_key)
    parts: list[list[_Copy]] = []
    if _fits(away + across + here):
        own = _joined(here)
        everything = _joined(away + across + here)
    else:
        here_parts = _parts(here)
        parts = [*here_parts, *_parts(across), *_parts(away[1:])]
        if len(parts) > _MOST_PARTS:
            raise ValueError(f"a multicast group of {len(parts)} parts: too many members")
        own = _joined(here) if _fits(here) else _forks(len(here_parts))
        everything = _joined(away[:1]) + _forks(len(parts))
    found = [
        flow(
            tables.OUTPUT,
            _PRIORITY,
            [*group, flag(tables.FROM_TUNNEL, is_set=from_tunnel)],
            actions,
            cookie=cookie,
        )
        for from_tunnel, actions in ((True, own), (False, everything))
        if actions
    ]
    found += (
        flow(
            tables.MULTICAST_REST,
            _PRIORITY,
            [*group, Term(_PART, number)],
            _joined(part),
            cookie=cookie,
        )
        for number, part in enumerate(parts, 1)
    )
    return Wanted(tuple(found), OPENFLOW_GROUPS if parts else ())


def _copy(port_key: int, cost: int, *, stays: bool = False) -> _Copy:
    """A copy for a port; one that `stays` goes to no other chassis."""
    flags = act.set_field(FLAGS, tables.FROM_TUNNEL, tables.FROM_TUNNEL) if stays else b""
    onward = act.set_field(OUTPORT, port_key) + act.resubmit(tables.OUTPUT)
    return _Copy(act.clone(flags + onward), cost)


def _sendings(datapath_key: int, remote: Sequence[tunnels.Tunnel]) -> Iterable[_Copy]:
    """The ways out, as many together as are allowed: each of these takes a whole part."""
    for start in range(0, len(remote), _TUNNELS_AT_ONCE):
        sends = b"".join(map(tunnels.send, remote[start : start + _TUNNELS_AT_ONCE]))
        whole = len(remote) > _TUNNELS_AT_ONCE
        yield _Copy(act.clone(tunnels.encapsulate(datapath_key) + sends), BUDGET if whole else 0)


def _by_address(tunnel: tunnels.Tunnel) -> tuple[int, int, int]:
    remote = tunnel.remote
    return tunnel.ofport, 0 if remote is None else remote.version, int(remote or 0)


def _fits(copies: Sequence[_Copy]) -> bool:
    """Whether these are little enough for one flow and one translation."""
    return len(_parts(copies)) <= 1


def _parts(copies: Sequence[_Copy]) -> list[list[_Copy]]:
    """`copies`, in order, in as few parts as they need."""
    parts: list[list[_Copy]] = []
    cost = size = 0
    for copy in copies:
        cost += copy.cost
        size += len(copy.actions)
        if not parts or cost > BUDGET or size > _PART_BYTES:
            parts.append([])
            cost, size = copy.cost, len(copy.actions)
        parts[-1].append(copy)
    return parts


def _joined(copies: Iterable[_Copy]) -> bytes:
    return b"".join(copy.actions for copy in copies)


def _forks(parts: int) -> bytes:
    """A copy of the packet for each of the first `parts` parts."""
    return b"".join(act.set_field(_PART, n) + act.group(FORK) for n in range(1, parts + 1))
