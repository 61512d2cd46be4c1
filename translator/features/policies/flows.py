"""The flows of routing policies."""

from collections.abc import Iterator, Sequence
from hashlib import blake2b

from incremental import Read
from logical_flow.action.hashing import hash_fields_argument
from logical_flow.action.selection import MAX_NUMBER, Member, encode_members, encode_watched
from logical_flow.addresses import multicast_mac, solicited_node
from logical_flow.expression import FALSE
from logical_flow.holes import Argument
from logical_flow.template import LogicalFlow, Template
from translator.addresses import host, is_within
from translator.derivations.result import Flows
from translator.errors import UnreachableNextHopError
from translator.features.acl.flows import matches_of
from translator.features.acl.names import match_for_flows
from translator.features.bfd.inputs import sessions_with
from translator.features.neighbours.learning import neighbours_in
from translator.features.neighbours.stages import LrInArpRequest
from translator.features.policies.inputs import TABLE, RouterPolicy
from translator.features.policies.stages import LrInPolicy, LrInPolicyEcmp, spread_key
from translator.features.routing.flows import output_port, source_towards
from translator.inputs import LogicalRouter, LogicalRouterPort


def router_policy_flows(read: Read, policy_id: str) -> Flows | None:
    """The flows of a policy; those of a disabled router have none.

    >>> from incremental import RecordedFacts
    >>> router = LogicalRouter("r", "edge", True, 3)
    >>> policy = RouterPolicy("p", "r", 7, "tcp.dst==80", "drop", (), "", None, 0, 0, 1)
    >>> facts = RecordedFacts({RouterPolicy: {"p": policy}, LogicalRouter: {"r": router}})
    >>> for flow in router_policy_flows(facts, "p").flows:
    ...     print(flow)
    table=...(lr_in_policy), priority=8, match=(reg9[16..31] == 0 && tcp.dst == 80 && \
!ip.is_frag), action=(drop;)
    table=...(lr_in_policy), priority=8, match=(reg9[16..31] == 0 && tcp && ip.is_frag), \
action=(drop;)
    """
    row = read(RouterPolicy, policy_id)
    router = None if row is None else read(LogicalRouter, row.router)
    if row is None or router is None or not router.enabled:
        return None
    return Flows(row.router, TABLE.name, policy_id, tuple(_flows(read, row)))


def closed_router_policy_flows(read: Read, policy_id: str) -> Flows | None:
    """Return flows for a policy that could not be derived: all that it may be about ends."""
    row = read(RouterPolicy, policy_id)
    if row is None:
        return None
    flow = LrInPolicy.drop(priority=row.priority, chain=row.chain, match="1")
    return Flows(row.router, TABLE.name, policy_id, (flow,))


def _flows(read: Read, row: RouterPolicy) -> Iterator[LogicalFlow]:
    sure, doubtful = matches_of(match_for_flows(read, row.match, row.project))
    asked: dict[str, Argument] = {"priority": row.priority, "chain": row.chain, "match": sure}
    if row.action == "drop":
        yield LrInPolicy.drop(**asked)
        if doubtful and doubtful != str(FALSE):
            yield LrInPolicy.drop(priority=row.priority, chain=row.chain, match=doubtful)
    elif row.action == "jump":
        yield LrInPolicy.jump(to=row.jump_chain, **asked)
    elif row.action == "allow":
        yield _marked(row, "allow", asked)
    else:
        yield from _rerouting(read, row, asked)


def _marked(row: RouterPolicy, name: str, arguments: dict[str, Argument]) -> LogicalFlow:
    """A flow of the template `name`, or of the one beside it that marks the packet."""
    if row.mark is None:
        template: Template = getattr(LrInPolicy, name)
        return template(**arguments)
    template = getattr(LrInPolicy, f"{name}_marked")
    return template(mark=row.mark, **arguments)


def _rerouting(read: Read, row: RouterPolicy, asked: dict[str, Argument]) -> Iterator[LogicalFlow]:
    ways = [(nexthop, _way(read, row, nexthop)) for nexthop in row.nexthops]
    family = 4 if len(row.nexthops[0]) == 4 else 6
    numbers = members_of(row.nexthops)
    sessions = {nexthop: _session(read, row, nexthop, port) for nexthop, port in ways}
    members = [Member(numbers[each], session=session) for each, session in sessions.items()]
    is_watched = any(each.session for each in members)
    kind = "_watched" if is_watched else ""
    if len(ways) == 1:
        ((nexthop, port),) = ways
        told = {**asked, **_arguments(nexthop, port)}
        if is_watched:
            told["members"] = encode_watched(members)
        yield _marked(row, f"reroute{kind}{family}", told)
    else:
        encoded = (encode_watched if is_watched else encode_members)(members)
        yield _spreading(row, {**asked, "number": row.number, "members": encoded}, is_watched)
        for nexthop, port in ways:
            member = LrInPolicyEcmp.member4 if family == 4 else LrInPolicyEcmp.member6
            yield member(number=row.number, member=numbers[nexthop], **_arguments(nexthop, port))
    for nexthop, port in ways:
        if not any(is_within(nexthop, network) for network in port.networks):
            yield from neighbours_in(port.name, host(nexthop))
        if family == 6:
            group = solicited_node(nexthop)
            yield LrInArpRequest.nd_for_next_hop(
                nexthop=nexthop, group=group, group_mac=multicast_mac(group)
            )


def _spreading(row: RouterPolicy, told: dict[str, Argument], is_watched: bool) -> LogicalFlow:
    """The flow that chooses one of several next hops."""
    if row.selection_fields:
        told["hash_fields"] = hash_fields_argument(row.selection_fields)
    if row.mark is not None:
        told["mark"] = row.mark
    key = spread_key(
        4 if len(row.nexthops[0]) == 4 else 6,
        is_watched=is_watched,
        is_hashed=bool(row.selection_fields),
        is_marked=row.mark is not None,
    )
    return LrInPolicy.spread[key](**told)


def _session(read: Read, row: RouterPolicy, nexthop: bytes, port: LogicalRouterPort) -> str:
    """Return the id of the BFD session that a next hop goes by; empty where it goes by none."""
    found = read.members(sessions_with, (port.id, nexthop)) if row.bfd else ()
    return found[0] if found else ""


def members_of(nexthops: Sequence[bytes]) -> dict[bytes, int]:
    """Number next hops so that each keeps its number as others come and go.

    A number is a hash; where two agree the greater address has the next one that is free.

    >>> members_of([b"1234", b"5678"])[b"1234"] == members_of([b"1234"])[b"1234"]
    True
    """
    numbers: dict[bytes, int] = {}
    for nexthop in sorted(nexthops):
        digest = blake2b(nexthop, digest_size=8).digest()
        number = 1 + int.from_bytes(digest) % MAX_NUMBER
        while number in numbers.values():
            number = 1 + number % MAX_NUMBER
        numbers[nexthop] = number
    return numbers


def _way(read: Read, row: RouterPolicy, nexthop: bytes) -> LogicalRouterPort:
    port = output_port(read, row.router, row.output_port, nexthop)
    if port is None:
        raise UnreachableNextHopError("no port of the router has the next hop in its network")
    return port


def _arguments(nexthop: bytes, port: LogicalRouterPort) -> dict[str, Argument]:
    source = source_towards(port, nexthop)
    return {"nexthop": nexthop, "source": source, "mac": port.mac, "port": port.name}
