"""The flows that answer for the ports of a switch, and for router ports that they lead to."""

from collections.abc import Iterator

from logical_flow.addresses import solicited_node
from logical_flow.template import LogicalFlow
from translator.features.answering.stages import LsInArpRsp
from translator.inputs import Host, LogicalRouterPort, LogicalSwitchPort


def switch_answer_flows(*, passes_tags: bool) -> Iterator[LogicalFlow]:
    """Yield the flow that keeps a switch from answering whose frames have tags of their own."""
    if passes_tags:
        yield LsInArpRsp.any_vlan()


def answer_flows(port: LogicalSwitchPort) -> Iterator[LogicalFlow]:
    """Yield the flows that answer for a port, disabled or not: its addresses stay taken.

    Not of one that takes unknown destinations: who is there answers for himself.
    """
    if not port.takes_unknown:
        for host in port.hosts:
            yield from _answers(port.name, host)


def _answers(port: str, host: Host) -> Iterator[LogicalFlow]:
    """Yield the flows that answer for the addresses of a workload."""
    for ip in host.ip4:
        yield LsInArpRsp.own_arp(port=port, ip=ip)
        yield LsInArpRsp.arp(mac=host.mac, ip=ip)
    for ip in host.ip6:
        yield LsInArpRsp.own_nd(port=port, ip=ip)
        yield LsInArpRsp.nd(mac=host.mac, ip=ip, group=solicited_node(ip))


def router_answer_flows(port: str, peer: LogicalRouterPort) -> Iterator[LogicalFlow]:
    """Yield the flows that answer for the router port behind a switch port."""
    for network in peer.networks4:
        yield LsInArpRsp.own_arp(port=port, ip=network.ip)
        yield LsInArpRsp.arp(mac=peer.mac, ip=network.ip)
    for ip in peer.addresses6:
        yield LsInArpRsp.own_nd(port=port, ip=ip)
        yield LsInArpRsp.nd_router(mac=peer.mac, ip=ip, group=solicited_node(ip))
