"""What a VM must know of its port: asked of the server, as a cloud's DHCP would answer."""

import ipaddress
from collections.abc import Iterable
from typing import Any, NamedTuple

import httpx

from cli.testbed.errors import TestbedError


class VmFacts(NamedTuple):
    """`addresses` are with prefix length (``10.0.1.11/24``), `gateways` without."""

    mac: str
    addresses: tuple[str, ...]
    gateways: tuple[str, ...]


def _get(client: httpx.Client, path: str, **filters: str) -> Any:
    answer = client.get(path, params=filters)
    if not answer.is_success:
        raise TestbedError(f"GET {path}: {answer.status_code}: {answer.text}")
    return answer.json()


def vm_facts(client: httpx.Client, port: str) -> VmFacts:
    """MAC, addresses and gateways of a logical switch port.

    The prefix lengths and gateways are those of the router ports on the same
    switch; a switch without a router gives /24 and /64 and no gateway.
    """
    lsp = _get(client, f"/v1/logical-switch-ports/{port}")
    tokens = [text.split() for text in (*lsp["addresses"], lsp["dynamic_addresses"] or "")]
    with_mac = [words for words in tokens if words and ":" in words[0] and len(words[0]) == 17]
    with_mac = [words for words in with_mac if words[-1] != "dynamic"]
    if not with_mac:
        raise TestbedError(f"port {port} has no MAC address to give to a VM")
    mac = with_mac[0][0]
    hosts = [ipaddress.ip_address(word) for words in with_mac for word in words[1:]]
    networks = list(_router_networks(client, lsp["logical_switch"]))
    addresses = []
    for host in hosts:
        network = next((network for network in networks if host in network.network), None)
        length = network.network.prefixlen if network else (24 if host.version == 4 else 64)
        addresses.append(f"{host}/{length}")
    versions = {host.version for host in hosts}
    gateways = {network.version: str(network.ip) for network in reversed(networks)}
    return VmFacts(
        mac, tuple(addresses), tuple(gateways[v] for v in sorted(versions) if v in gateways)
    )


def _router_networks(
    client: httpx.Client, logical_switch: str
) -> Iterable[ipaddress.IPv4Interface | ipaddress.IPv6Interface]:
    ports = _get(client, f"/v1/logical-switches/{logical_switch}/ports", type="router")["items"]
    for lsp in ports:
        lrp = _get(client, f"/v1/logical-router-ports/{lsp['router_port']}")
        yield from (ipaddress.ip_interface(network) for network in lrp["networks"])
