"""How OVN reads the values of DHCP options, which are all text.

Lists stand in braces with commas, text may stand in quotes, flags are 0 or 1. Functions here
return the value as Treadle has it, or raise ValueError; whether it takes the value is for the
spec to say.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple


class OptionOfOvn(NamedTuple):
    """The field that one of OVN's options becomes, and how its value is read."""

    field: str
    read: Callable[[str], Any]


def words(text: str) -> list[str]:
    """The elements of a list, with or without braces.

    >>> words("{10.0.0.1, 10.0.0.2}"), words("10.0.0.1")
    (['10.0.0.1', '10.0.0.2'], ['10.0.0.1'])
    """
    inner = text.strip().removeprefix("{").removesuffix("}")
    return [word for part in inner.split(",") if (word := part.strip())]


def unquoted(text: str) -> str:
    """Text without quotes around it.

    >>> unquoted('"pxelinux.0"'), unquoted("pxelinux.0")
    ('pxelinux.0', 'pxelinux.0')
    """
    stripped = text.strip()
    is_quoted = len(stripped) >= 2 and stripped[0] == stripped[-1] == '"'
    return stripped[1:-1] if is_quoted else stripped


def one(text: str) -> str:
    """The only address of a list."""
    found = words(text)
    if len(found) != 1:
        raise ValueError("is not one address")
    return found[0]


def routes(text: str) -> list[dict[str, str]]:
    """Routes: destinations and next hops in turn.

    >>> routes("{30.0.0.0/24,10.0.0.10, 0.0.0.0/0,10.0.0.1}")[1]
    {'destination': '0.0.0.0/0', 'nexthop': '10.0.0.1'}
    """
    found = words(text)
    if len(found) % 2:
        raise ValueError("is not a list of networks and next hops in turn")
    return [
        {"destination": destination if "/" in destination else f"{destination}/32", "nexthop": hop}
        for destination, hop in zip(found[::2], found[1::2], strict=True)
    ]


def domains(text: str) -> list[str]:
    return words(unquoted(text))


def flag(text: str) -> bool:
    if text.strip() not in ("0", "1"):
        raise ValueError("is neither 0 nor 1")
    return text.strip() == "1"


def truth(text: str) -> bool:
    """What OVN takes for true is that word alone."""
    return unquoted(text).lower() == "true"


def number(text: str) -> int:
    if not text.strip().isdecimal():
        raise ValueError("is no number")
    return int(text.strip())


OPTIONS4: Final[Mapping[str, OptionOfOvn]] = {
    "server_id": OptionOfOvn("server_id", one),
    "server_mac": OptionOfOvn("server_mac", unquoted),
    "lease_time": OptionOfOvn("lease_time", number),
    "router": OptionOfOvn("routers", words),
    "netmask": OptionOfOvn("netmask", one),
    "dns_server": OptionOfOvn("dns_servers", words),
    "log_server": OptionOfOvn("log_servers", words),
    "lpr_server": OptionOfOvn("lpr_servers", words),
    "swap_server": OptionOfOvn("swap_server", one),
    "router_solicitation": OptionOfOvn("router_solicitation", one),
    "nis_server": OptionOfOvn("nis_servers", words),
    "ntp_server": OptionOfOvn("ntp_servers", words),
    "netbios_name_server": OptionOfOvn("netbios_name_servers", words),
    "classless_static_route": OptionOfOvn("classless_static_routes", routes),
    "ms_classless_static_route": OptionOfOvn("ms_classless_static_routes", routes),
    "next_server": OptionOfOvn("next_server", one),
    "ip_forward_enable": OptionOfOvn("ip_forwarding", flag),
    "router_discovery": OptionOfOvn("router_discovery", flag),
    "ethernet_encap": OptionOfOvn("ethernet_encapsulation", flag),
    "default_ttl": OptionOfOvn("default_ttl", number),
    "tcp_ttl": OptionOfOvn("tcp_ttl", number),
    "mtu": OptionOfOvn("mtu", number),
    "T1": OptionOfOvn("renewal_time", number),
    "T2": OptionOfOvn("rebinding_time", number),
    "arp_cache_timeout": OptionOfOvn("arp_cache_timeout", number),
    "tcp_keepalive_interval": OptionOfOvn("tcp_keepalive_interval", number),
    "netbios_node_type": OptionOfOvn("netbios_node_type", number),
    "wpad": OptionOfOvn("wpad", unquoted),
    "bootfile_name": OptionOfOvn("bootfile_name", unquoted),
    "bootfile_name_alt": OptionOfOvn("bootfile_name_alt", unquoted),
    "path_prefix": OptionOfOvn("path_prefix", unquoted),
    "tftp_server_address": OptionOfOvn("tftp_server_addresses", words),
    "tftp_server": OptionOfOvn("tftp_server", unquoted),
    "hostname": OptionOfOvn("hostname", unquoted),
    "domain_name": OptionOfOvn("domain_name", unquoted),
    "domain_search_list": OptionOfOvn("domain_search", domains),
    "broadcast_address": OptionOfOvn("broadcast_address", one),
}
"""OVN's options of DHCPv4 (``ovn-nb(5)``), but ``policy_filter``, whose values OVN doesn't pair."""

OPTIONS6: Final[Mapping[str, OptionOfOvn]] = {
    "server_id": OptionOfOvn("server_mac", unquoted),
    "dns_server": OptionOfOvn("dns_servers", words),
    "domain_search": OptionOfOvn("domain_search", domains),
    "fqdn": OptionOfOvn("hostname", unquoted),
    "bootfile_name": OptionOfOvn("bootfile_url", unquoted),
    "bootfile_name_alt": OptionOfOvn("bootfile_url_alt", unquoted),
    "dhcpv6_stateless": OptionOfOvn("stateless", truth),
}
"""OVN's options of DHCPv6 (``ovn-nb(5)``), those of newer releases among them."""

NEEDED4: Final = ("server_id", "server_mac", "lease_time")
"""Without which OVN answers no client of DHCPv4."""

NEEDED6: Final = ("server_id",)
"""The same for DHCPv6."""
