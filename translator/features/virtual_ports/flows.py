"""The flows of virtual ports."""

from collections.abc import Iterator

from incremental import Read
from logical_flow.template import LogicalFlow
from translator.features.port_security.stages import LsOutPortSecL2
from translator.features.switching.flows import port_forwarding_flows
from translator.features.virtual_ports.relations import parents_of
from translator.features.virtual_ports.stages import LsInVirtualParent
from translator.inputs import LogicalSwitchPort

_IP4 = 4


def virtual_port_flows(read: Read, port: LogicalSwitchPort) -> Iterator[LogicalFlow]:
    """Yield the flows that note who speaks for a virtual port, and those that lead to it.

    Nobody answers for its address but the workload that has it. Packets for a MAC address of its
    own go on at the port of that workload.
    """
    template = LsInVirtualParent.arp if len(port.virtual_ip) == _IP4 else LsInVirtualParent.nd
    for parent in parents_of(read, port):
        yield template(parent=parent.name, ip=port.virtual_ip)
    if port.hosts:
        yield LsOutPortSecL2.any_destination(port=port.name)
        yield from port_forwarding_flows(port)
