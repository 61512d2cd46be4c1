"""Looking up domain names: the agent answers, or has the packet go on at the next stage."""

from chassis_agent.compile.encoders.encoding import Encoding, with_table
from chassis_agent.compile.encoders.punting import punt_to
from chassis_agent.compile.splice import Assembly
from chassis_agent.openflow import actions as act
from chassis_agent.punt.opcodes import Opcode, dns_arguments
from logical_flow.action.naming import DnsLookup


def encode_dns_lookup(action: DnsLookup, encoding: Encoding) -> Assembly:
    answer = encoding.encode(action.actions)
    go_on = with_table(act.resubmit, encoding.leading_to(None))
    head = dns_arguments(len(answer.data))
    return answer.then(go_on).inside(lambda inner: punt_to(Opcode.DNS, head + inner))
