"""What the ACLs of a translation decide, worked out by Treadle's own translation of ACLs.

Each ACL becomes the flows that a switch has of it, and packets meet these stage by stage, as in
the packet walk. Only connections are left out: a packet is the first one of its connection.
"""

import ipaddress
from collections.abc import Mapping
from typing import Any

from incremental import RecordedFacts
from integrations.kubernetes.intent import Intent
from integrations.kubernetes.objects import PodKey
from integrations.kubernetes.pod_sets import Networks
from integrations.kubernetes.translation import Translation
from logical_flow.evaluate import Sets
from logical_flow.flow_table import Entry, FlowTable
from translator.features.acl.flows import acl_flows
from translator.features.acl.stages import LS_IN_ACL_EVAL, LS_OUT_ACL_EVAL, TIERS
from translator.inputs import Acl
from translator.pipeline import PIPELINES

assert PIPELINES, "templates know their places once the pipelines are declared"

PROTOCOLS = {"TCP": 6, "UDP": 17, "SCTP": 132, "ICMP": 1}


class Verdicts:
    """The ACLs of a translation; `addresses` are those of each switch port, by its id."""

    def __init__(self, translation: Translation, addresses: Mapping[str, list[str]]) -> None:
        intent = Intent("test")
        members: dict[str, list[str]] = {}
        for group in translation.groups():
            name, ports = intent.group_name(group), translation.ports(group)
            members[f"@{name}"] = sorted(ports)
            held = [each for port in ports for each in addresses[port]]
            members[f"${name}_ip4"] = [each for each in held if "." in each]
            members[f"${name}_ip6"] = [each for each in held if ":" in each]
        for networks in translation.networks():
            assert isinstance(networks, Networks)
            members[f"${intent.names.address_set(networks)}"] = list(networks.members)
        values = [intent.acl(acl, users) for acl, users in translation.users.items()]
        flows = [flow for acl in (*values, *intent.pending_acls()) for flow in _flows_of(acl)]
        self._table = FlowTable(map(Entry, flows))
        self._sets = Sets(members)

    def allow(
        self,
        source: str,
        destination: str,
        addresses: tuple[str, str],
        protocol: str,
        port: int,
    ) -> bool:
        """Tell whether a packet gets from one port to another; an empty one is outside."""
        packet: dict[str, Any] = {"inport": source, "outport": destination}
        family = "ip6" if ":" in addresses[0] else "ip4"
        packet["eth.type"] = 0x86DD if family == "ip6" else 0x800
        packet[f"{family}.src"], packet[f"{family}.dst"] = (
            int(ipaddress.ip_address(address)) for address in addresses
        )
        packet["ip.proto"] = PROTOCOLS[protocol]
        if protocol != "ICMP":
            packet[f"{protocol.lower()}.dst"] = port
        sends = not source or self._passes(LS_IN_ACL_EVAL, packet)
        return sends and (not destination or self._passes(LS_OUT_ACL_EVAL, packet))

    def _passes(self, stages: Any, packet: dict[str, Any]) -> bool:
        for tier in range(TIERS):
            choice = self._table.choose(stages[tier].name, packet, self._sets)
            if choice.entry is None:
                continue
            assert choice.certain
            assert not choice.rivals, [str(choice.entry.flow), *map(str, choice.rivals)]
            text = " ".join(map(str, choice.entry.actions))
            if "reg8[17] = 1" in text:
                return False
            if "acl_action" in text:
                return True
        return True


def _flows_of(values: Mapping[str, Any]) -> Any:
    acl = Acl(
        *(values["id"], "s", "", values["direction"], values["tier"], values["priority"]),
        *(values["match"], values["action"], "", False, "", 0),
    )
    made = acl_flows(RecordedFacts({Acl: {acl.id: acl}}), ("s", acl.id))
    assert made is not None
    return made.flows


def key_of(pod: Mapping[str, Any]) -> PodKey:
    return PodKey(pod["metadata"]["namespace"], pod["metadata"]["name"])
