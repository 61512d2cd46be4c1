"""Several things in the way at once, at random: what is proposed as enough is enough."""

from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

import pytest

from tests.unit.diagnosis.explain.conftest import PLACES, Plugged

Breaking = Callable[[Plugged, Random], Coroutine[Any, Any, None]]

SEEDS = 40
MATCHES = ("ip", "tcp", "arp", "ip4", "udp || icmp4", 'inport == "a1"', "ip6")
SERVICES = ("icmp", "tcp/80", "udp/53", "sctp/7")
ADDRESSES = ("10.1.0.11", "10.2.0.11", "fd03::11", "10.1.0.60")


async def add_acl(net: Plugged, random: Random) -> None:
    await net.acl(
        random.choice(("ls:a", "ls:b", "ls:c", "pg:senders", "pg:receivers")),
        random.choice(("from-lport", "to-lport")),
        random.choice((0, 1, 1000, 32766)),
        random.choice(MATCHES),
        tier=random.randrange(4),
        action=random.choice(("drop", "drop", "reject", "allow", "allow-related", "pass")),
    )


async def secure(net: Plugged, random: Random) -> None:
    port = random.choice(sorted(PLACES))
    number = {"a1": "01:01", "a2": "01:02", "b1": "02:01", "c1": "03:01"}[port]
    mac = random.choice((f"0a:00:00:00:{number}", "0a:00:00:00:09:09"))
    addresses = random.sample(ADDRESSES, random.randrange(3))
    security = [" ".join([mac, *addresses])]
    await net.change(f"/logical-switch-ports/{port}", port_security=security)


async def disable(net: Plugged, random: Random) -> None:
    kind, name = random.choice(
        (
            *(("logical-switch-ports", port) for port in (*PLACES, "a-r1", "b-r1")),
            *(("logical-router-ports", port) for port in ("r1-a", "r1-b", "r2-c")),
            ("logical-routers", "r2"),
        )
    )
    await net.change(f"/{kind}/{name}", enabled=False)


async def route(net: Plugged, random: Random) -> None:
    body = {
        "ip_prefix": random.choice(("10.3.0.0/24", "10.0.0.0/8", "10.3.0.11/32")),
        "nexthop": random.choice(("discard", "10.9.0.2")),
    }
    present = await net.call("GET", "/static-routes")
    if all(each["ip_prefix"] != body["ip_prefix"] for each in present["items"]):
        await net.call("POST", "/logical-routers/r1/static-routes", body)


async def unplug(net: Plugged, random: Random) -> None:
    port = random.choice(sorted(PLACES))
    net.server.realised.facts.release(PLACES[port], port)


BREAKING: tuple[Breaking, ...] = (add_acl, add_acl, secure, disable, route, unplug)


def question(random: Random) -> dict[str, Any]:
    source, destination = random.sample(sorted(PLACES), 2)
    asked = {
        "source": source,
        "destination": random.choice(
            (destination, destination, "10.2.0.11", "10.1.0.50", "fd02::11")
        ),
        "service": random.choice(SERVICES),
    }
    if random.random() < 0.2:
        asked |= {"source": "10.1.0.60", "inport": "a1", "destination": "b1"}
    return asked


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_what_is_proposed_as_enough_is_enough(net: Plugged, seed: int) -> None:
    random = Random(seed)
    for _ in range(random.randrange(1, 6)):
        await random.choice(BREAKING)(net, random)
    told = 0
    while told < 3:
        asked = question(random)
        answer = await net.server.client.post("/v1/reachability", json=asked)
        if answer.status_code == 422:
            continue
        told += 1
        found = answer.json()
        assert (found["answer"] == "yes") == (found["obstacles"] == [])
        if found["reachable"]:
            continue
        proposal = found["proposal"]
        if not proposal["sufficient"]:
            why = ("breaks", "unknowns", "remaining")
            assert any(proposal[each] for each in why), (asked, found)
            continue
        if proposal["transaction"]:
            await net.call("POST", "/transactions", proposal["transaction"])
        for command in proposal["commands"]:
            port = command.partition("iface-id=")[2]
            net.plug(port, PLACES.get(port, "hv1"))
        after = await net.ask(**asked)
        assert after["reachable"], (asked, found, after["text"])


TERMS = (
    'inport == "a1"',
    'inport == "r1-a"',
    'outport == "b1"',
    "eth.src == 0a:00:00:00:01:01",
    "eth.dst == 0a:00:00:01:00:01",
    "eth.dst == ff:ff:ff:ff:ff:ff",
    "vlan.vid == 7",
    "arp",
    "arp.op == 1",
    "arp.spa == 10.1.0.11",
    "arp.tpa == 10.1.0.1",
    "ip4",
    "ip6",
    "ip4.dst == 10.2.0.11",
    "ip4.src == 10.1.0.11",
    "ip4.dst == 224.0.0.1",
    "ip6.dst == fd02::11",
    "ip6.src == fd01::11",
    "ip.ttl == 1",
    "tcp.dst == 80",
    "icmp4.type == 8",
    "icmp6.type == 128",
    "nd_ns",
    "nd.target == fd01::1",
    "ip.frag",
)


@pytest.mark.parametrize("seed", range(4))
async def test_any_packet_is_answered_for_or_refused(net: Plugged, seed: int) -> None:
    """Also one that makes little sense: what a match leaves out is 0."""
    random = Random(seed)
    await net.acl("ls:b", "to-lport", 5, random.choice(MATCHES), action="reject")
    answered = 0
    for _ in range(60):
        terms = random.sample(TERMS, random.randrange(1, 6))
        asked = {"match": " && ".join(terms), "inport": random.choice((*PLACES, "r1-a"))}
        answer = await net.server.client.post("/v1/reachability", json=asked)
        assert answer.status_code in (200, 422), (asked, answer.text)
        answered += answer.status_code == 200
    assert answered > 5
