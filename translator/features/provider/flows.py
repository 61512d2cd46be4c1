"""The flows that a switch has for its port to a provider network."""

from collections.abc import Iterator

from incremental import Read
from logical_flow.template import LogicalFlow
from translator.features.acl.flows import untracked_port_flows
from translator.features.answering.stages import LsInArpRsp
from translator.features.load_balancing.outside import outside_balancing_flows
from translator.features.port_security.flows import port_security_flows
from translator.features.switching.flows import port_forwarding_flows
from translator.inputs import LogicalSwitchPort


def outside_port_flows(read: Read, port: LogicalSwitchPort) -> Iterator[LogicalFlow]:
    """Yield the flows of an enabled port that leads outside.

    Its packets are not tracked: a connection's packets may come to one chassis and go from
    another one. ACLs apply to each of them by itself. Those of virtual addresses are tracked once
    ACLs have decided.
    """
    yield from port_security_flows(port)
    yield from untracked_port_flows(read, port.switch, port.name)
    yield LsInArpRsp.from_outside(port=port.name)
    yield from port_forwarding_flows(port)
    yield from outside_balancing_flows(read, port)
