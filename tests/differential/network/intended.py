"""Where Treadle differs from OVN 23.03 on purpose, or ``ovn-trace`` from OVN.

Each entry says why, and how our flows would be without the difference. With those the
two have to agree exactly: so it is checked that they differ in that way only. A case
under ``cases/`` shows each entry at work, and fails once the entry isn't needed.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from logical_flow.holes import Argument
from logical_flow.template import LogicalFlow, Template
from tests.differential.network.topologies import Document
from tests.differential.network.treadle import Undo
from translator.addresses import mac_bytes
from translator.pipeline.lr_in import LrInArpRequest, LrInArpResolve
from translator.pipeline.ls_in import LsInArpRsp, LsInL2Lookup, LsInPortSecIp, LsInPortSecNd
from translator.pipeline.ls_out import LsOutAclAction, LsOutPortSecIp

Flows = Sequence[LogicalFlow]


class Difference(NamedTuple):
    """`undo` takes a network and the flows of a group, and returns other flows."""

    name: str
    why: str
    undo: Callable[[Document, Flows], Flows]


def undoing(differences: Iterable[Difference], document: Document) -> Undo:
    """Undoes all of them."""

    def undo(flows: Flows) -> Flows:
        for difference in differences:
            flows = difference.undo(document, flows)
        return flows

    return undo


_Undo = Callable[[Document, Flows], Flows]


def _all(*undos: _Undo) -> _Undo:
    def undo(document: Document, flows: Flows) -> Flows:
        for each in undos:
            flows = each(document, flows)
        return flows

    return undo


def _without(*templates: Template) -> _Undo:
    ids = {template.id for template in templates}
    return lambda _document, flows: [flow for flow in flows if flow.template.id not in ids]


def _reworded(old: str, new: str, *templates: Template) -> _Undo:
    """Another text in matches and actions of these templates."""
    changed = {}
    for template in templates:
        text = template.as_text()
        match, actions = text.match.replace(old, new), text.actions.replace(old, new)
        if (match, actions) == (text.match, text.actions):
            raise ValueError(f"{template!r} does not say {old}")
        reworded = text._replace(id=text.id ^ 1, match=match, actions=actions)
        changed[template.id] = Template.from_text(reworded)

    def reword(flow: LogicalFlow) -> LogicalFlow:
        template = changed.get(flow.template.id)
        if template is None:
            return flow
        values = flow.named_args
        return LogicalFlow(template, tuple(values[hole.name] for hole in template.arguments))

    return lambda _document, flows: [reword(flow) for flow in flows]


_SECURED_NETWORKS = {
    template.id
    for template in (
        LsInPortSecNd.arp_from,
        LsInPortSecNd.advertisement_of,
        LsInPortSecIp.source4,
        LsInPortSecIp.source6,
        LsOutPortSecIp.destination4,
        LsOutPortSecIp.destination6,
    )
}
_LAST = 0xFF
"""How broadcast addresses end, and no hosts."""


def _hosts_for_networks(_document: Document, flows: Flows) -> Iterator[LogicalFlow]:
    """The first address of a network instead of all of it, and no broadcast address."""
    for flow in flows:
        network = flow.named_args.get("ip")
        if flow.template.id not in _SECURED_NETWORKS or not isinstance(network, bytes):
            yield flow
            continue
        width = len(network) // 2
        host = network[:width] + b"\xff" * width
        if width != 4 or host[3] != _LAST:
            yield LogicalFlow(
                flow.template, tuple(host if arg == network else arg for arg in flow.args)
            )


def _arp_from_ip6_only(_document: Document, flows: Flows) -> Flows:
    """ARP passes from MAC addresses that are secured with IPv6 addresses alone."""
    secured: dict[Template, set[tuple[Argument, Argument]]] = {
        LsInPortSecNd.arp_from: set(),
        LsInPortSecNd.advertisement_of: set(),
    }
    for flow in flows:
        if flow.template in secured:
            secured[flow.template].add((flow.named_args["port"], flow.named_args["mac"]))
    ip6_only = secured[LsInPortSecNd.advertisement_of] - secured[LsInPortSecNd.arp_from]
    return [*flows, *(LsInPortSecNd.arp(port=port, mac=mac) for port, mac in ip6_only)]


def _disabled_routers_unknown(document: Document, flows: Flows) -> Flows:
    """Nobody knows a router port that is disabled, or is one of a disabled router."""
    macs = {
        mac_bytes(port["mac"])
        for router in document["logical_routers"].values()
        for port in router["ports"].values()
        if not (router.get("enabled", True) and port.get("enabled", True))
    }
    return [
        flow
        for flow in flows
        if flow.template not in _KNOWN_BY_MAC or flow.named_args["mac"] not in macs
    ]


_KNOWN_BY_MAC = {
    LsInArpRsp.arp,
    LsInArpRsp.nd_router,
    LsInL2Lookup.unicast,
    LsInL2Lookup.router_request,
    LrInArpResolve.static4,
    LrInArpResolve.static6,
}

INTENDED = (
    Difference(
        "refusals pass",
        "OVN's egress ACLs look at the answer of a reject as well, and may drop or reject it. "
        "An answer of the network itself passes here, so that its receiver learns of it.",
        _reworded("flags[1] = 1; ", "", LsOutAclAction.reject, LsOutAclAction.block_and_reject),
    ),
    Difference(
        "routers ask for themselves",
        "OVN's routers solicit an IPv6 neighbour with the source address of the packet that "
        "is waiting, which RFC 4861 doesn't allow. Here it is the router's own, as in ARP.",
        _reworded("ip6.src = xxreg1; ", "", LrInArpRequest.nd, LrInArpRequest.nd_for_next_hop),
    ),
    Difference(
        "unicast requests go to whom they are for",
        "OVN answers requests for a known address in its port's place even if they were sent to "
        "that one alone. Those are probes of whether it is still there, and go to it here.",
        _all(
            _reworded("eth.bcast && ", "", LsInArpRsp.arp),
            _reworded(
                "ip6.dst == {group:ip6}",
                "ip6.dst == {{ip:ip6}, {group:ip6}}",
                LsInArpRsp.nd,
                LsInArpRsp.nd_router,
            ),
        ),
    ),
    Difference(
        "disabled router ports are known",
        "To OVN a disabled router port does not exist: packets to it are flooded like those to "
        "any unknown address. Here they are dropped at it, and it is named as the reason.",
        _disabled_routers_unknown,
    ),
    Difference(
        "port security knows address probes",
        "A host that has no address yet asks by ARP from 0.0.0.0 whether one is taken (RFC 5227). "
        "OVN's port security drops that.",
        _without(LsInPortSecNd.arp_probe),
    ),
    Difference(
        "ovn-trace: unspecified sources in port security",
        "What a host sends from :: before it has an address passes the port security of OVN "
        "and of Treadle, but not that of ovn-trace.",
        _without(LsInPortSecIp.no_source6),
    ),
    Difference(
        "ovn-trace: networks in port security",
        "Of a network in port security ovn-trace knows the first address only, and no "
        "broadcast address; OVN and Treadle allow all of it.",
        lambda document, flows: list(_hosts_for_networks(document, flows)),
    ),
    Difference(
        "ovn-trace: ARP without IPv4 addresses",
        "A MAC address that is secured with IPv6 addresses alone may send no ARP in OVN and "
        "Treadle; ovn-trace lets it.",
        _arp_from_ip6_only,
    ),
)
