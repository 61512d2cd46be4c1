"""The flows of a virtual address."""

from incremental import Read
from logical_flow.template import LogicalFlow, Template
from translator.derivations.result import Flows
from translator.features.load_balancing.relations import Front, backends_set, front
from translator.features.load_balancing.stages import LsInLb


def switch_vip_flows(read: Read, placement: tuple[str, str]) -> Flows | None:
    """The flow of a virtual address on a switch.

    >>> from incremental import RecordedFacts
    >>> facts = RecordedFacts({front: {"v": Front(bytes([10, 96, 0, 1]), 80, "tcp", True)}})
    >>> for flow in switch_vip_flows(facts, ("s", "v")).flows:
    ...     print(str(flow).partition(", ")[2])
    priority=120, match=(ct.new && !ct.rel && ip4.dst == 10.96.0.1 && tcp.dst == 80), \
action=(ct_lb("&v");)
    """
    switch, vip = placement
    address = read(front, vip)
    if address is None:
        return None
    return Flows(switch, "load_balancer_vip", vip, (_balancing_flow(vip, address),))


def _balancing_flow(vip: str, address: Front) -> LogicalFlow:
    family = 4 if len(address.address) == 4 else 6
    name = f"{address.protocol or 'any'}{family}"
    arguments: dict[str, str | int | bytes] = {"vip": address.address}
    if address.port is not None:
        arguments["port"] = address.port
    if address.has_backends:
        arguments["backends"] = backends_set(vip)
    elif address.rejects:
        name = f"reject_{name}"
    else:
        name = f"drop_{name}"
    template: Template = getattr(LsInLb, name)
    return template(**arguments)
