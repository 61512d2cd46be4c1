"""Security groups against an oracle: what random rules let through, packet by packet.

The oracle reads rules as Neutron's API reference describes them, from what a client sends. The
flows are those that the ACLs of the groups become.
"""

import ipaddress
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

from hypothesis import assume, given
from hypothesis import strategies as st

from api.neutron.errors import BadRequestError
from api.neutron.resources.security_group_rule import RULE_ATTRIBUTES
from api.neutron.security.groups import RULE_PRIORITY, TIER
from api.neutron.security.membership import PROTECTED, PROTECTION
from api.neutron.security.protocols import NUMBERS
from api.neutron.security.rule import DIRECTIONS, Rule, acl_match, read_rule
from incremental import RecordedFacts
from logical_flow.evaluate import Packet, Sets
from logical_flow.flow_table import Entry, FlowTable
from logical_flow.fragments import as_switch_sees
from logical_flow.template import LogicalFlow
from translator.features.acl.flows import acl_flows
from translator.features.acl.stages import LS_IN_ACL_EVAL, LS_OUT_ACL_EVAL
from translator.inputs import Acl

GROUP = "sg"
"""The port group of the security group that the port is in."""
CLIENTS = {"c1": ("10.0.0.1", "fd00::1")}
"""Ports of the group that rules may name, with their addresses."""
ADDRESSES = ["10.0.0.0/30", "fd00::/127"]
"""What is in the address group that rules may name."""
SETS = Sets(
    {
        f"@{GROUP}": ["p"],
        f"@{PROTECTED}": ["p"],
        "$clients_ip4": [ip4 for ip4, _ in CLIENTS.values()],
        "$clients_ip6": [ip6 for _, ip6 in CLIENTS.values()],
        "$office": ADDRESSES,
    }
)
FLOWS_OF = {"ingress": LS_OUT_ACL_EVAL[TIER].name, "egress": LS_IN_ACL_EVAL[TIER].name}


class Seen(NamedTuple):
    """A packet to or from the port, as the oracle sees it: the address is the other end's."""

    direction: str
    version: int
    address: str
    protocol: int
    source: int = 0
    target: int = 0
    is_fragment: bool = False

    def fields(self) -> Packet:
        """The packet as flows see it."""
        other, port = ("src", "outport") if self.direction == "ingress" else ("dst", "inport")
        own = "dst" if other == "src" else "src"
        fields: dict[str, int | str] = {
            port: "p",
            "eth.type": 0x800 if self.version == 4 else 0x86DD,
            f"ip{self.version}.{other}": int(ipaddress.ip_address(self.address)),
            f"ip{self.version}.{own}": 1,
            "ip.proto": self.protocol,
            "ip.frag": 1 if self.is_fragment else 0,
        }
        transports = {6: "tcp", 17: "udp", 132: "sctp"}
        if self.protocol in transports:
            name = transports[self.protocol]
            fields |= {f"{name}.src": self.source, f"{name}.dst": self.target}
        if self.protocol in (1, 58):
            name = "icmp4" if self.protocol == 1 else "icmp6"
            fields |= {f"{name}.type": self.source, f"{name}.code": self.target}
        return as_switch_sees(fields)


ENDS = [(4, "10.0.0.1"), (4, "10.0.0.6"), (4, "192.0.2.1"), (6, "fd00::1"), (6, "fd01::1")]
SEEN = [
    Seen(direction, version, address, protocol, source, target, is_fragment)
    for direction in ("ingress", "egress")
    for version, address in ENDS
    for protocol, endpoints in (
        (6, [(1024, 22), (1024, 80)]),
        (17, [(1024, 80), (68, 67), (67, 68), (546, 547), (547, 546)]),
        (132, [(9, 80)]),
        (1 if version == 4 else 58, [(8, 0), (8, 1), (0, 0)]),
        (47, [(0, 0)]),
        (136, [(0, 0)]),
    )
    for (source, target), is_fragment in product(endpoints, (False, True))
]

rules = st.fixed_dictionaries(
    {
        "direction": st.sampled_from(["ingress", "egress"]),
        "ethertype": st.sampled_from(["IPv4", "IPv6", "ipv4"]),
        "protocol": st.sampled_from(
            [
                *(None, "any", "ip", 0, "tcp", "TCP", 6, "udp", "sctp", "132", "icmp", 1),
                *("icmpv6", "ipv6-icmp", 58, "gre", 47, "udplite", "ipv6-frag"),
            ]
        ),
        "port_range_min": st.sampled_from([None, None, 1, 8, 22, 80, "0"]),
        "port_range_max": st.sampled_from([None, None, 0, 1, 22, 80, 1000, 65535]),
        "remote_ip_prefix": st.sampled_from(
            [None, None, "", "0.0.0.0/0", "10.0.0.1", "10.0.0.7/29", "fd00::1/64", "::/0"]
        ),
        "remote_group_id": st.sampled_from([None, None, "clients"]),
        "remote_address_group_id": st.sampled_from([None, None, "office"]),
    }
)


def rule_of(said: Mapping[str, Any]) -> Rule | None:
    """The rule that a client asks for, or None where it is refused."""
    try:
        values = {each.name: each.convert(said[each.name]) for each in RULE_ATTRIBUTES}
        return read_rule({**said, **values})
    except BadRequestError:
        return None


def lets_through(said: Mapping[str, Any], packet: Seen) -> bool:
    """What a rule means, by the reference of Neutron's API."""
    version = 4 if said["ethertype"].lower() == "ipv4" else 6
    if said["direction"] != packet.direction or version != packet.version:
        return False
    ends = [said["remote_ip_prefix"]] if said["remote_ip_prefix"] else []
    if said["remote_group_id"]:
        ends = [address for both in CLIENTS.values() for address in both]
    elif said["remote_address_group_id"]:
        ends = ADDRESSES
    if ends:
        address = ipaddress.ip_address(packet.address)
        if not any(address in ipaddress.ip_network(end, strict=False) for end in ends):
            return False
    return _is_protocol(said, packet)


def _is_protocol(said: Mapping[str, Any], packet: Seen) -> bool:
    name = str(said["protocol"]).lower()
    if name in ("none", "any", "ip", "0"):
        return True
    if name == "ipv6-frag":
        return packet.is_fragment
    number = NUMBERS.get(name) if name in NUMBERS else int(name)
    if packet.version == 6 and number == 1:
        number = 58
    if packet.protocol != number:
        return False
    low, high = said["port_range_min"], said["port_range_max"]
    if (low is None and high is None) or (low, high) == (1, 65535):
        return True
    if packet.is_fragment:  # It shows neither ports nor types.
        return False
    if number in (1, 58):
        return packet.source == int(low) and high in (None, packet.target)
    return int(low) <= packet.target <= int(high)


def protects(packet: Seen) -> bool | None:
    """What holds for every port, whatever its groups say; None where they decide."""
    if packet.protocol != 17 or packet.is_fragment:
        return None
    ports = (packet.source, packet.target)
    asks = ports == ((68, 67) if packet.version == 4 else (546, 547))
    answers = ports == ((67, 68) if packet.version == 4 else (547, 546))
    return True if (asks if packet.direction == "egress" else answers) else None


def flows_of(
    number: int, direction: str, priority: int, match: str, action: str
) -> Sequence[LogicalFlow]:
    name = str(number)
    row = Acl(name, "s", "", direction, TIER, priority, match, action, name, False, "", 0)
    made = acl_flows(RecordedFacts({Acl: {name: row}}), ("s", name))
    assert made is not None
    return made.flows


PROTECTING = [flow for n, acl in enumerate(PROTECTION) for flow in flows_of(n, *acl[1:])]


def table_of(wanted: Sequence[Rule]) -> FlowTable:
    flows = list(PROTECTING)
    for number, rule in enumerate(dict.fromkeys(wanted), len(PROTECTION)):
        family = "ip4" if rule.ethertype == "IPv4" else "ip6"
        remote = (rule.group and f"{rule.group}_{family}") or rule.address_group
        match = acl_match(rule, GROUP, remote)
        acl = DIRECTIONS[rule.direction], RULE_PRIORITY, match, "allow-related"
        flows += flows_of(number, *acl)
    return FlowTable(map(Entry, flows))


def is_let_through(table: FlowTable, packet: Seen) -> bool:
    chosen = table.choose(FLOWS_OF[packet.direction], packet.fields(), SETS).entry
    assert chosen is not None
    return "reg8[17]" not in str(chosen.flow)


@given(st.lists(rules, max_size=6))
def test_what_rules_let_through(said: list[dict[str, Any]]) -> None:
    taken = [(each, rule) for each in said if (rule := rule_of(each)) is not None]
    table = table_of([rule for _, rule in taken])
    for packet in SEEN:
        expected = protects(packet)
        if expected is None:
            expected = any(lets_through(each, packet) for each, _ in taken)
        assert is_let_through(table, packet) == expected, packet


@given(rules, rules)
def test_rules_of_one_match_mean_the_same(first: dict[str, Any], second: dict[str, Any]) -> None:
    """Two rules are told apart by their matches: what is one rule means one thing."""
    one, other = rule_of(first), rule_of(second)
    assume(one is not None and other is not None)
    assert one is not None
    assert other is not None
    remotes = [rule.group or rule.address_group for rule in (one, other)]
    matches = [acl_match(r, GROUP, remote) for r, remote in zip((one, other), remotes, strict=True)]
    if matches[0] == matches[1] and one.direction == other.direction:
        for packet in SEEN:
            assert lets_through(first, packet) == lets_through(second, packet)
