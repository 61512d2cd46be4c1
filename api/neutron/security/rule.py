"""A rule: its canonical form, what of rules is refused, and the match of the ACL that it becomes.

Two rules are the same if their matches are. What can't be matched as it is meant is refused:
a rule that seems to allow something and doesn't would mislead.
"""

import ipaddress
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from api.neutron.errors import BadRequestError
from api.neutron.security.protocols import (
    ANY,
    FRAGMENT,
    ICMP,
    ICMPV6,
    LOOKED_THROUGH,
    MATCHED_PORTS,
    ONLY_IPV6,
    WITH_PORTS,
    number_of,
)

INGRESS, EGRESS = "ingress", "egress"
IPV4, IPV6 = "IPv4", "IPv6"
DIRECTIONS: Final = {INGRESS: "to-lport", EGRESS: "from-lport"}
"""Directions of ACLs: as a port receives, and as it sends."""

FIRST_PORT, LAST_PORT, LAST_ICMP = 1, 65535, 255


class Rule(NamedTuple):
    """What a rule lets through. Ports are, for ICMP, its type and code.

    `prefix`, `group` and `address_group` are what is at the other end, at most one of them.
    """

    direction: str
    ethertype: str = IPV4
    protocol: str | None = None
    port_min: int | None = None
    port_max: int | None = None
    prefix: str | None = None
    group: str | None = None
    address_group: str | None = None


def read_prefix(value: Any) -> str | None:
    """Take the addresses at the other end, with a prefix length; an empty text is none.

    >>> read_prefix("10.0.0.7"), read_prefix("FD00::1/64")
    ('10.0.0.7/32', 'fd00::1/64')
    """
    if value is None or value == "":
        return None
    try:
        if not isinstance(value, str) or "%" in value:  # the name of a zone
            raise ValueError
        return str(ipaddress.ip_interface(value))
    except ValueError:
        message = f"Invalid CIDR {str(value)[:100]} given as IP prefix."
        raise BadRequestError(message, "InvalidCIDR") from None


def network_of(prefix: str) -> str:
    """Return the network in which a prefix lies: the addresses that are meant by it."""
    return str(ipaddress.ip_network(prefix, strict=False))


def read_rule(values: Mapping[str, Any]) -> Rule:
    """Return the rule that the values of attributes say, or raise BadRequestError."""
    rule = Rule(
        values["direction"],
        values["ethertype"],
        values["protocol"],
        values["port_range_min"],
        values["port_range_max"],
        values["remote_ip_prefix"],
        values["remote_group_id"],
        values["remote_address_group_id"],
    )
    if (rule.port_min, rule.port_max) == (FIRST_PORT, LAST_PORT):
        rule = rule._replace(port_min=None, port_max=None)
    if rule.ethertype == IPV6 and number_of(rule.protocol) == ICMP:
        name = "ipv6-icmp" if rule.protocol == "icmp" else str(ICMPV6)
        rule = rule._replace(protocol=name)
    if sum(each is not None for each in (rule.prefix, rule.group, rule.address_group)) > 1:
        # The type is spelt so in Neutron.
        message = (
            "Only one of remote_ip_prefix or remote_group_id or remote_address_group_id may "
            "be provided."
        )
        raise BadRequestError(message, "SecurityGroupMultipleRemoteEntites")
    _check_family(rule)
    _check_ports(rule)
    return rule


def acl_match(rule: Rule, group: str, remote: str | None = None) -> str:
    """Return the match of the ACL that a rule of the port group `group` becomes.

    `remote` is the address set of what is at the other end, where that is a group.

    >>> acl_match(Rule("ingress", "IPv4", "tcp", 80, 80, "10.0.0.0/8"), "web")
    'outport == @web && ip4 && tcp && tcp.dst == 80 && ip4.src == 10.0.0.0/8'
    >>> acl_match(Rule("egress", "IPv6", "icmpv6", 128), "web", "web_ip6")
    'inport == @web && ip6 && icmp6 && icmp6.type == 128 && ip6.dst == $web_ip6'
    """
    family = "ip4" if rule.ethertype == IPV4 else "ip6"
    port, end = ("outport", "src") if rule.direction == INGRESS else ("inport", "dst")
    terms = [f"{port} == @{group}", family, *_protocol_terms(rule)]
    if remote is not None:
        terms.append(f"{family}.{end} == ${remote}")
    elif rule.prefix is not None and ipaddress.ip_network(rule.prefix, strict=False).prefixlen:
        terms.append(f"{family}.{end} == {rule.prefix}")
    return " && ".join(terms)


def rule_key(rule: Rule) -> tuple[str, str]:
    """Return what two rules of a group have in common if and only if they are the same."""
    return rule.direction, acl_match(rule, "", rule.group or rule.address_group)


def _protocol_terms(rule: Rule) -> list[str]:
    number = number_of(rule.protocol)
    if number is None:
        return []
    if number == ANY:
        # It says the same as no protocol, and is another rule in Neutron.
        return ["ip"]
    if number == FRAGMENT:
        return ["ip.is_frag"]
    if number in (ICMP, ICMPV6):
        name = "icmp4" if number == ICMP else "icmp6"
        terms = [name]
        if rule.port_min is not None:
            terms.append(f"{name}.type == {rule.port_min}")
        if rule.port_max is not None:
            terms.append(f"{name}.code == {rule.port_max}")
        return terms
    if number not in MATCHED_PORTS:
        return [f"ip.proto == {number}"]
    name = MATCHED_PORTS[number]
    if rule.port_min is None:
        return [name]
    if rule.port_min == rule.port_max:
        return [name, f"{name}.dst == {rule.port_min}"]
    return [name, f"{name}.dst >= {rule.port_min}", f"{name}.dst <= {rule.port_max}"]


def _check_family(rule: Rule) -> None:
    number = number_of(rule.protocol)
    if rule.prefix is not None:
        version = ipaddress.ip_network(rule.prefix, strict=False).version
        if (version == 4) != (rule.ethertype == IPV4):
            message = f"Conflicting value ethertype {rule.ethertype} for CIDR {rule.prefix}"
            raise BadRequestError(message, "SecurityGroupRuleParameterConflict")
    if number in ONLY_IPV6 and rule.ethertype == IPV4:
        message = f"Invalid ethertype {rule.ethertype} for protocol {rule.protocol}."
        raise BadRequestError(message, "SecurityGroupEthertypeConflictWithProtocol")
    if rule.ethertype == IPV6 and (number in LOOKED_THROUGH or rule.protocol == "hopopt"):
        header = LOOKED_THROUGH.get(number or ANY, "hop-by-hop options header")
        message = (
            f"Security group rule protocol {rule.protocol} not supported for IPv6: the {header} "
            "comes before the protocol that packets are told apart by."
        )
        raise BadRequestError(message, "SecurityGroupRuleInvalidProtocol")


def _check_ports(rule: Rule) -> None:
    low, high = rule.port_min, rule.port_max
    if low is None and high is None:
        return
    if rule.protocol is None:
        message = "Must also specify protocol if port range is given."
        raise BadRequestError(message, "SecurityGroupProtocolRequiredWithPorts")
    number = number_of(rule.protocol)
    if number in (ICMP, ICMPV6):
        _check_icmp(low, high)
    elif number not in WITH_PORTS:
        message = (
            f"Ports cannot be specified for protocol {number}. "
            "Ports are only supported for DCCP, SCTP, TCP, UDP, UDPLITE."
        )
        raise BadRequestError(message, "SecurityGroupInvalidProtocolForPort")
    else:
        _check_range(low, high)
        if number not in MATCHED_PORTS:
            message = (
                f"Ports cannot be specified for protocol {rule.protocol}: switches don't read "
                "its ports. A rule without ports allows all of it."
            )
            raise BadRequestError(message, "SecurityGroupInvalidProtocolForPort")


def _check_icmp(kind: int | None, code: int | None) -> None:
    named = (("type (port_range_min)", kind), ("code (port_range_max)", code))
    for name, value in named:
        if value is not None and value > LAST_ICMP:
            message = f"Invalid value for ICMP {name} {value}. It must be 0 to {LAST_ICMP}."
            raise BadRequestError(message, "SecurityGroupInvalidIcmpValue")
    if kind is None:
        message = (
            f"ICMP code (port-range-max) {code} is provided but ICMP type (port-range-min) is "
            "missing."
        )
        raise BadRequestError(message, "SecurityGroupMissingIcmpType")


def _check_range(low: int | None, high: int | None) -> None:
    for port in (low, high):
        if port is not None and port < FIRST_PORT:
            raise BadRequestError(f"Invalid value for port {port}", "SecurityGroupInvalidPortValue")
    if low is None or high is None or low > high:
        message = "For TCP/UDP protocols, port_range_min must be <= port_range_max"
        raise BadRequestError(message, "SecurityGroupInvalidPortRange")
