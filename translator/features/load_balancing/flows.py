"""The flows of a virtual address."""

from collections.abc import Iterator

from incremental import Read
from logical_flow.template import LogicalFlow
from translator.derivations.result import Flows
from translator.features.load_balancing.fronts import front_key, may_be_fragmented
from translator.features.load_balancing.relations import Front, backends_set, front, vip_placements
from translator.features.load_balancing.stages import (
    LsInAsAsked,
    LsInAsSent,
    LsInHairpin,
    LsInHairpinOut,
    LsInHairpinSnat,
    LsInLb,
    LsInNoBackend,
    LsInWholeErrors,
    LsOutWholeErrors,
)
from translator.inputs import LogicalSwitchPort


def switch_vip_flows(read: Read, placement: tuple[str, str]) -> Flows | None:
    """The flow of a virtual address on a switch.

    >>> from incremental import RecordedFacts
    >>> facts = RecordedFacts({front: {"v": Front(bytes([10, 96, 0, 1]), 80, "tcp", True)}})
    >>> for flow in switch_vip_flows(facts, ("s", "v")).flows:
    ...     print(str(flow).partition(", ")[2])
    priority=120, match=(ct.new && !ct.rel && ip4.dst == 10.96.0.1 && tcp.dst == 80), \
action=(ct_lb("&v");)
    priority=100, match=(reg0[6] == 1 && ct.dnat && ct_nw_dst == 10.96.0.1), \
action=(ct_clear; ct_snat(10.96.0.1);)
    """
    switch, vip = placement
    address = read(front, vip)
    if address is None:
        return None
    # It names the set also while that is empty: agents then end what there was to be balanced.
    flows = [_balancing_flow(vip, address)]
    if address.has_backends:
        flows.append(_hairpin_flow(address))
        if may_be_fragmented(address):
            fragment = LsInLb.fragment[front_key(address)]
            flows.append(fragment(backends=backends_set(vip), **_matched(address)))
    if address.may_lack_backends:
        flows.append(_ending_flow(address))
    return Flows(switch, "load_balancer_vip", vip, tuple(flows))


def switch_balancing_flows(read: Read, switch: str) -> Iterator[LogicalFlow]:
    """Yield the flows that a switch has for all of its load balancers, if it has any."""
    if not read.any(vip_placements, switch):
        return
    for stage in (LsInWholeErrors, LsOutWholeErrors, LsInAsAsked, LsInAsSent):
        for template in stage.templates:
            yield template()
    yield LsInHairpin.answer()
    yield LsInHairpinOut.back()


def port_balancing_flows(read: Read, port: LogicalSwitchPort) -> Iterator[LogicalFlow]:
    """Yield the flows by which a port that is its own backend is found."""
    if not read.any(vip_placements, port.switch):
        return
    for host in port.hosts:
        for ip in host.ip4:
            yield LsInHairpin.to_itself4(port=port.name, ip=ip)
        for ip in host.ip6:
            yield LsInHairpin.to_itself6(port=port.name, ip=ip)


def _hairpin_flow(address: Front) -> LogicalFlow:
    hairpin = LsInHairpinSnat.vip4 if address.family == 4 else LsInHairpinSnat.vip6
    return hairpin(vip=address.address, source=address.hairpin_source or address.address)


def _balancing_flow(vip: str, address: Front) -> LogicalFlow:
    arguments = {**_matched(address), "backends": backends_set(vip)}
    templates = LsInLb.balance
    if address.hash_fields:
        templates = LsInLb.balance_by
        arguments["hash_fields"] = address.hash_fields.encode()
    return templates[front_key(address)](**arguments)


def _ending_flow(address: Front) -> LogicalFlow:
    """The flow for what gets no backend."""
    if address.is_checked and address.has_backends:
        templates = LsInNoBackend.reject_down if address.rejects else LsInNoBackend.drop_down
    else:
        templates = LsInNoBackend.reject if address.rejects else LsInNoBackend.drop
    return templates[front_key(address)](**_matched(address))


def _matched(address: Front) -> dict[str, str | int | bytes]:
    """The arguments by which packets for a virtual address are known."""
    matched: dict[str, str | int | bytes] = {"vip": address.address}
    if address.port is not None:
        matched["port"] = address.port
    return matched
