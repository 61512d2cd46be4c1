"""Services of the network that hostile frames meet: a gateway, NAT, balancing, DHCP, DNS.

Two hypervisors stand for the port of the router `r` that leads to a provider network, which
carries less than the switches do. `out` is a host there. All that leaves is translated, `near` has
floating IPs, `near` and `routed` are behind virtual addresses, inside and at the gateway. Switches
answer DHCP of both families, and a name.
"""

from typing import Final

from cli.testbed.lab import Lab
from tests.hostile.generator import Ends
from tests.system.network import Network

PROVIDER: Final = "physnet1"
OUTSIDE: Final = Ends("0a:00:00:00:ac:01", "203.0.113.201", "2001:db8:66::201")
ROUTER: Final = Ends("0a:00:00:00:ac:02", "203.0.113.2", "2001:db8:66::2")
FLOATING: Final = Ends(ROUTER.mac, "203.0.113.11", "2001:db8:66::11")
BALANCED_OUTSIDE: Final = Ends(ROUTER.mac, "203.0.113.20", "2001:db8:66::20")
_BALANCED_INSIDE: Final = ("10.66.9.9", "fd66:9::9")
_NAMES: Final = ("203.0.113.53", "2001:db8:66::53")
INSIDE4: Final = "10.66.0.0/16"
INSIDE6: Final = "fd66::/30"


def declare(net: Network, lab: Lab, backends: tuple[Ends, Ends]) -> None:
    """Make the services of the switches `lan` and `beyond` of the router `r`.

    `backends` are `near` and `routed`; `near` is behind the floating IPs.
    """
    lab.add_provider_network(PROVIDER)
    addresses = (f"{OUTSIDE.ip4}/24", f"{OUTSIDE.ip6}/64")
    lab.add_outside("out", PROVIDER, *addresses, mac=OUTSIDE.mac)
    net.switch("public")
    net.port("public", "public-out", type="localnet", network_name=PROVIDER)
    ranks = [{"chassis": "hv1", "priority": 20}, {"chassis": "hv2", "priority": 10}]
    networks = (f"{ROUTER.ip4}/24", f"{ROUTER.ip6}/64")
    net.router_port(
        *("r", "r-public", ROUTER.mac, *networks), gateway_chassis=ranks, gateway_mtu=1300
    )
    net.port("public", "public-r", type="router", router_port="r-public")
    near, _ = backends
    for kind, external, logical in (
        ("snat", ROUTER.ip4, INSIDE4),
        ("snat", ROUTER.ip6, INSIDE6),
        ("dnat_and_snat", FLOATING.ip4, near.ip4),
        ("dnat_and_snat", FLOATING.ip6, near.ip6),
    ):
        body = {"type": kind, "external_ip": external, "logical_ip": logical}
        net.call("POST", "/logical-routers/r/nats", body)
    _balance(net, backends)
    _answer(net)


def _balance(net: Network, backends: tuple[Ends, Ends]) -> None:
    places = {"switches": ["lan", "beyond"], "routers": ["r"]}
    for protocol in ("tcp", "udp"):
        net.call("POST", "/load-balancers", {"name": protocol, "protocol": protocol, **places})
        for address in (*_BALANCED_INSIDE, BALANCED_OUTSIDE.ip4, BALANCED_OUTSIDE.ip6):
            of_family = [each.ip6 if ":" in address else each.ip4 for each in backends]
            for port in (80, 53):
                members = [f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}" for ip in of_family]
                body = {"address": address, "port": port, "backends": members}
                net.call("POST", f"/load-balancers/{protocol}/vips", body)


def _answer(net: Network) -> None:
    for number, switch in ((1, "lan"), (2, "beyond")):
        for name, cidr, family, options in (
            (f"{switch}4", f"10.66.{number}.0/24", "dhcpv4", {"routers": [f"10.66.{number}.1"]}),
            (f"{switch}6", f"fd66:{number}::/64", "dhcpv6", {"dns_servers": [_NAMES[1]]}),
        ):
            net.call("POST", "/dhcp-options", {"name": name, "cidr": cidr, family: options})
            net.call("PATCH", f"/logical-switches/{switch}", {f"{family}_options": name})
    net.call("POST", "/dns-record-sets", {"name": "names", "switches": ["lan", "beyond"]})
    record = {"dns_record_set": "names", "hostname": "www.example", "addresses": [OUTSIDE.ip4]}
    net.call("POST", "/dns-records", record)


def others(router: str) -> list[Ends]:
    """What a guest reaches by its router, at that MAC address."""
    far = (OUTSIDE, FLOATING, BALANCED_OUTSIDE, ROUTER)
    return [
        *(Ends(router, end.ip4, end.ip6) for end in far),
        Ends(router, *_BALANCED_INSIDE),
        Ends(router, *_NAMES),
    ]
