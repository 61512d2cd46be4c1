"""The flows that a switch has for its port to a provider network."""

from collections.abc import Iterator

from incremental import Read
from logical_flow.template import LogicalFlow
from translator.features.acl.flows import untracked_port_flows
from translator.features.answering.stages import LsInArpRsp
from translator.features.dns.records import record_sets_of_switch
from translator.features.dns.stages import LsInDnsLookup
from translator.features.gateways.relations import residents_on_switch
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
    if port.kind.is_native and read.members(record_sets_of_switch, port.switch):
        yield from _name_flows(read, port)
    yield from port_forwarding_flows(port)
    yield from outside_balancing_flows(read, port)


def _name_flows(read: Read, port: LogicalSwitchPort) -> Iterator[LogicalFlow]:
    """Yield the flows that leave queries from outside to one chassis: they come to all of them.

    It is the one that is in charge of a router port on the switch. Without such none answers.
    """
    yield LsInDnsLookup.elsewhere(port=port.name)
    residents = read.members(residents_on_switch, port.switch)
    if residents:
        resident = min(residents)
        yield LsInDnsLookup.from_outside4(port=port.name, resident=resident)
        yield LsInDnsLookup.from_outside6(port=port.name, resident=resident)
