"""What leads out of a random network: a provider switch, gateways, and NAT.

The provider switch is number 9. It has a port of type ``localnet``, where hosts outside
are, which no port has the addresses of: `OUTSIDE_HOST` is one of them. Another one may have a
port of type ``external``. One router leads there, by a gateway port, or as a gateway router, or
with neither. Any other switch may lead to a further network by a port of type ``l2gateway``.
"""

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

from logical_flow.packet import format_value, packet_from_match
from tests.differential.network.outcome import Outcome
from tests.differential.network.probe import Probe

Document = dict[str, Any]

NUMBER = 9
SWITCH = f"ls{NUMBER}"
LOCALNET = f"{SWITCH}-net"
NETWORK = "physnet"
EXTERNAL = f"{SWITCH}-ext"
L2_NETWORK = "physnet2"
_GROUP = "racks"


def outside_host(switch: str) -> tuple[str, str, str]:
    """The addresses of a host on the network that a switch leads to, which no port has."""
    number = int(switch[2:])
    return f"0a:00:00:00:{number:02x}:64", f"10.0.{number}.100", f"fd00:{number}::64"


OUTSIDE_HOST = outside_host(SWITCH)

_CHASSIS = ("hv1", "hv2")
_FREE = range(200, 210)
"""The last parts of external addresses that are no port's."""


def add_outside(rng: Random, switches: Document, routers: Document) -> None:
    """A provider switch, behind one of the routers, that translates addresses perhaps."""
    name = rng.choice(list(routers))
    router, port = routers[name], f"{name}-{SWITCH}"
    number = int(name[2:])
    switches[SWITCH] = {
        "ports": {
            LOCALNET: {"type": "localnet", "network_name": NETWORK, "addresses": ["unknown"]},
            f"{SWITCH}-p1": {
                "addresses": [f"0a:00:00:00:{NUMBER:02x}:01 10.0.{NUMBER}.1 fd00:{NUMBER}::1"]
            },
            f"{SWITCH}-{name}": {"type": "router", "router_port": port},
        }
    }
    if rng.random() < 0.5:
        switches[SWITCH]["ports"][LOCALNET]["tag"] = rng.choice([7, 4094])
    if rng.random() < 0.4:
        switches[SWITCH]["ports"][EXTERNAL] = {
            "type": "external",
            "addresses": [f"0a:00:00:00:{NUMBER:02x}:02 10.0.{NUMBER}.2 fd00:{NUMBER}::2"],
            "ha_chassis_group": _GROUP,
        }
    router["ports"][port] = {
        "mac": f"0a:00:00:01:{number:02x}:{NUMBER:02x}",
        "networks": [f"10.0.{NUMBER}.{250 + number}/24", f"fd00:{NUMBER}::f{number}/64"],
    }
    kind = rng.choice(["gateway port", "gateway port", "gateway router", "neither"])
    if kind == "gateway port":
        router["ports"][port]["gateway_chassis"] = [
            {"chassis": chassis, "priority": 20 - rank}
            for rank, chassis in enumerate(_CHASSIS[: rng.randint(1, 2)])
        ]
    if kind == "gateway router":
        router["chassis"] = _CHASSIS[0]
    if kind != "neither" and rng.random() < 0.8:
        nats = list(_nats(rng, switches, router, kind))
        if nats:
            router["nats"] = nats


def groups_of_chassis(switches: Document) -> Document:
    """The groups that external ports name."""
    if EXTERNAL not in switches.get(SWITCH, {"ports": {}})["ports"]:
        return {}
    ranked = [{"chassis": name, "priority": 20 - rank} for rank, name in enumerate(_CHASSIS)]
    return {_GROUP: {"chassis": ranked}}


def heard_outside(document: Document, probe: Probe, outcome: Outcome) -> Outcome:
    """What becomes of a packet, if what comes out by an external port comes out where that leads.

    Its workload is on the network of the localnet port. There a flood is heard once, of which
    ``ovn-trace`` has a copy for either port. What came from there is not sent back, but for what
    is answered.
    """
    if EXTERNAL not in document["logical_switches"].get(SWITCH, {"ports": {}})["ports"]:
        return outcome
    packet = packet_from_match(probe.packet)
    own = f"eth.src={format_value('eth.src', packet['eth.src'])},"
    heard = Outcome()
    for text, count in outcome.items():
        port, _, headers = text.partition(": ")
        if port not in (EXTERNAL, LOCALNET):
            heard[text] = count
        elif not (packet["inport"] == LOCALNET and headers.startswith(own)):
            outside = f"{LOCALNET}: {headers}"
            heard[outside] = max(heard[outside], count)
    return heard


def add_l2_gateways(rng: Random, switches: Document) -> None:
    """Ways out of some switches that are on one chassis, each with its VLAN of the network."""
    is_free = True
    for name, switch in switches.items():
        if name != SWITCH and rng.random() < 0.15:
            port = {
                "type": "l2gateway",
                "network_name": L2_NETWORK,
                "requested_chassis": [_CHASSIS[0]],
                "addresses": ["unknown"],
            }
            untagged = rng.random() < 0.5 and is_free
            is_free = is_free and not untagged
            switch["ports"][f"{name}-gw"] = (
                port if untagged else {**port, "tag": 10 + int(name[2:])}
            )


def add_residence(rng: Random, routers: Document) -> None:
    """Where else what is routed meets the gateway: at it, or by the provider network."""
    for router in routers.values():
        gateways = [port for port in router["ports"].values() if is_gateway_port(port)]
        for port in router["ports"].values():
            if not gateways or "peer" in port:
                continue
            if port in gateways:
                if rng.random() < 0.3:
                    port["redirect_type"] = "bridged"
            elif rng.random() < 0.2:
                port["reside_on_redirect_chassis"] = True


def has_gateways(document: Document) -> bool:
    """Whether something of the network is on one chassis: what is where matters then."""
    return any(map(is_gateway, document["logical_routers"].values()))


def leads_outside(document: Document) -> bool:
    """Whether a switch is part of a network outside of the overlay."""
    return any(
        "network_name" in port
        for switch in document["logical_switches"].values()
        for port in switch["ports"].values()
    )


def is_gateway(router: Document) -> bool:
    """Whether the router is on one chassis, or one of its ports is."""
    return "chassis" in router or any(map(is_gateway_port, router["ports"].values()))


def is_gateway_port(port: Document) -> bool:
    """Whether it is on one of several chassis at a time."""
    return bool(port.get("gateway_chassis"))


def _nats(
    rng: Random, switches: Document, router: Document, kind: str
) -> Iterator[Mapping[str, Any]]:
    """Translations of networks and hosts that are behind the router."""
    inside = sorted({name[-3:] for name in router["ports"] if name[-3:] in switches} - {SWITCH})
    own = router["ports"][next(name for name in router["ports"] if name.endswith(SWITCH))]
    free4 = [f"10.0.{NUMBER}.{n}" for n in rng.sample(_FREE, len(_FREE))]
    free6 = [f"fd00:{NUMBER}::{n:x}" for n in rng.sample(_FREE, len(_FREE))]
    for switch in inside:
        number = switch[-1]
        if rng.random() < 0.7:
            external = rng.choice([free4.pop(), own["networks"][0].partition("/")[0]])
            yield {"type": "snat", "external_ip": external, "logical_ip": f"10.0.{number}.0/24"}
        if rng.random() < 0.3:
            yield {
                "type": "snat",
                "external_ip": free6.pop(),
                "logical_ip": f"fd00:{number}::/64",
            }
        for name, port in switches[switch]["ports"].items():
            mac, *ips = next(iter(port.get("addresses", ["unknown"]))).split()
            for ip in ips:
                if rng.random() < 0.4:
                    external = (free6 if ":" in ip else free4).pop()
                    nat: Document = {
                        "type": rng.choice(["dnat", "dnat_and_snat", "dnat_and_snat"]),
                        "external_ip": external,
                        "logical_ip": ip,
                    }
                    if kind == "gateway port" and nat["type"] == "dnat_and_snat":
                        if rng.random() < 0.3:
                            nat |= {"logical_port": name, "external_mac": _floating_mac(mac)}
                        elif rng.random() < 0.2:
                            nat["stateless"] = True
                    yield nat


def _floating_mac(mac: str) -> str:
    """The MAC address of the floating IP of a host."""
    return f"0a:00:00:02:{mac[-5:]}"
