"""The flows of a NAT: what comes in and what leaves, and who answers for its address."""

from collections.abc import Iterator, Sequence
from typing import Any

from incremental import Read
from logical_flow.addresses import solicited_node
from logical_flow.template import LogicalFlow, Stage, Template
from translator.addresses import masked
from translator.derivations.result import Flows
from translator.features.nat.rows import TABLE, Nat
from translator.features.nat.stages import (
    LrInDnat,
    LrInUnsnat,
    LrInWholeErrors,
    LrOutSnat,
    LrOutUndnat,
)
from translator.features.router.stages import LrInIpInput
from translator.features.routing.relations import network_lengths, ports_by_network
from translator.inputs import LogicalRouter, LogicalRouterPort


def nat_flows(read: Read, nat_id: str) -> Flows | None:
    """The flows of a NAT on its router.

    >>> from incremental import RecordedFacts
    >>> from translator.addresses import interface, ip_bytes
    >>> nat = Nat("n", "r", "dnat_and_snat", ip_bytes("192.0.2.7"), interface("10.0.0.7"),
    ...     None, "", b"", "", False)
    >>> router = LogicalRouter("r", "r", True, 1)
    >>> facts = RecordedFacts({Nat: {"n": nat}, LogicalRouter: {"r": router}})
    >>> for flow in nat_flows(facts, "n").flows:
    ...     print(str(flow).partition(", ")[2])
    priority=90, match=(arp.op == 1 && arp.tpa == 192.0.2.7), action=(eth.dst = eth.src; \
eth.src = xreg0[0..47]; arp.op = 2; arp.tha = arp.sha; arp.sha = xreg0[0..47]; \
arp.tpa <-> arp.spa; outport = inport; flags.loopback = 1; output;)
    priority=100, match=(ip4.dst == 192.0.2.7), action=(ct_snat;)
    priority=100, match=(ip4.dst == 192.0.2.7), action=(ct_dnat(10.0.0.7);)
    priority=100, match=(ip4.src == 10.0.0.7), action=(ct_dnat;)
    priority=34, match=(ip4.src == 10.0.0.7), action=(ct_snat(192.0.2.7);)
    """
    nat = read(Nat, nat_id)
    router = None if nat is None else read(LogicalRouter, nat.router)
    if nat is None or router is None:
        return None
    flows = tuple(_flows(read, nat)) if router.enabled else ()
    return Flows(nat.router, TABLE.name, nat_id, flows)


def translating_flows() -> Iterator[LogicalFlow]:
    """Yield the flows of a router that translates connections, whatever they are."""
    yield LrInWholeErrors.error4()
    yield LrInWholeErrors.error6()
    for stage in (LrOutUndnat, LrOutSnat):
        yield stage.error4()
        yield stage.error6()


def _flows(read: Read, nat: Nat) -> Iterator[LogicalFlow]:
    ports = tuple(_ports_around(read, nat.router, nat.external_ip))
    is_own = any(network.ip == nat.external_ip for port in ports for network in port.networks)
    if not is_own:
        yield from _answers(nat.external_ip, ports)
    if nat.outgoing:
        yield _template(LrInUnsnat, nat)(external=nat.external_ip)
    if nat.incoming:
        to = _template(LrInDnat, nat, ports=True)
        yield to(external=nat.external_ip, logical=nat.logical.ip, **_ports(nat))
        yield _template(LrOutUndnat, nat)(logical=nat.logical.ip)
    elif not is_own:
        nowhere = LrInDnat.nowhere4 if nat.is_ip4 else LrInDnat.nowhere6
        yield nowhere(external=nat.external_ip)
    if nat.outgoing:
        to = _template(LrOutSnat, nat, ports=True)
        yield to(
            plen=nat.logical.plen,
            logical=nat.logical.network,
            external=nat.external_ip,
            **_ports(nat),
        )


def _template(stage: type[Stage], nat: Nat, *, ports: bool = False) -> Template:
    """Return the template of a stage for a NAT: of its family, with ports if it has some."""
    family = 4 if nat.is_ip4 else 6
    suffix = "_ports" if ports and nat.ports else ""
    template: Template = getattr(stage, f"router{family}{suffix}")
    return template


def _ports(nat: Nat) -> dict[str, Any]:
    if nat.ports is None:
        return {}
    return {"first_port": nat.ports[0], "last_port": nat.ports[1]}


def _answers(ip: bytes, ports: Sequence[LogicalRouterPort]) -> Iterator[LogicalFlow]:
    """Yield the flows that answer for an external address which is no port's own.

    They answer at the ports in whose networks it is, and for one that is routed to everyone.
    """
    group = solicited_node(ip) if len(ip) == 16 else b""
    for port in ports:
        if group:
            yield LrInIpInput.nd(port=port.name, ip=ip, group=group)
        else:
            yield LrInIpInput.translated_arp_at(port=port.name, ip=ip)
    if not ports:
        if group:
            yield LrInIpInput.translated_nd(ip=ip, group=group)
        else:
            yield LrInIpInput.translated_arp(ip=ip)


def _ports_around(read: Read, router: str, ip: bytes) -> Iterator[LogicalRouterPort]:
    """Yield the ports of a router in whose networks an address is."""
    for width, plen in read.members(network_lengths, router):
        if width != len(ip):
            continue
        for lrp in read.members(ports_by_network, (router, masked(ip, plen))):
            port = read(LogicalRouterPort, lrp)
            if port is not None:
                yield port
