"""Whatever nobody has said may be either way, and an explanation has to hold in each.

Networks are made at random, with ACLs on ports of clients, on next hops and on shared addresses.
What a question leaves open is then said, one way after the other: an answer that turns out
otherwise has to have been announced.
"""

from collections.abc import Callable, Coroutine
from itertools import product
from random import Random
from typing import Any

import pytest

from northbound.database import Database
from tests.unit.api.conftest import database, serve
from tests.unit.diagnosis.explain.conftest import Plugged, plugged

__all__ = ["database"]

Edit = Callable[[Plugged, Random], Coroutine[Any, Any, None]]

SEEDS = 12
QUESTIONS = 3
MACS = {"a1": "01:01", "a2": "01:02", "b1": "02:01", "c1": "03:01"}
OWN = {"a1": "10.1.0.11", "a2": "10.1.0.12", "b1": "10.2.0.11", "c1": "10.3.0.11"}
SHARED = ("10.1.0.100", "10.2.0.100")
CLIENT_PORTS = (1024, 5432, 32768, 40000, 40001, 49999, 50000, 65535)
MATCHES = (
    "{proto}.src == 40000",
    "{proto}.src >= 40000 && {proto}.src <= 50000",
    "{proto}.dst == 40001",
    "{proto}.src < 5433",
    "eth.dst == 0a:00:00:01:00:01",
    'inport == "a1" && eth.dst == 0a:00:00:00:01:02',
    "ip4.dst == 10.1.0.100",
    'outport == "a2" && ip4',
    "ip",
)


async def add_acl(net: Plugged, random: Random) -> None:
    match = random.choice(MATCHES).format(proto=random.choice(("tcp", "udp")))
    directions = ("to-lport",) if "outport" in match else ("from-lport", "to-lport")
    await net.acl(
        random.choice(("ls:a", "ls:b", "pg:senders", "pg:receivers")),
        random.choice(directions),
        random.randrange(2000),
        match,
        action=random.choice(("drop", "drop", "allow", "allow-related")),
    )


async def share(net: Plugged, random: Random) -> None:
    port = random.choice(("a1", "a2", "b1"))
    allowed = [OWN[port], random.choice((*SHARED, "10.1.0.96/28", "0.0.0.0/0"))]
    security = [" ".join([f"0a:00:00:00:{MACS[port]}", *allowed])]
    await net.change(f"/logical-switch-ports/{port}", port_security=security)


async def take_unknown(net: Plugged, random: Random) -> None:
    port = random.choice(("a2", "b1"))
    own = f"0a:00:00:00:{MACS[port]} {OWN[port]}"
    await net.change(f"/logical-switch-ports/{port}", addresses=[own, "unknown"])


async def learn(net: Plugged, random: Random) -> None:
    mac = f"0a:00:00:00:{MACS[random.choice(('a1', 'a2'))]}"
    net.server.realised.facts.learned.learn_mac("hv1", "r1-a", SHARED[0], mac)


EDITS: tuple[Edit, ...] = (add_acl, add_acl, add_acl, share, share, take_unknown, learn)


def question(random: Random) -> dict[str, Any]:
    source = random.choice(("a1", "a2", "b1"))
    targets = [each for each in (*OWN.values(), *SHARED, "10.1.0.77") if each != OWN[source]]
    return {
        "source": source,
        "destination": random.choice(targets),
        "service": random.choice(("tcp/80", "udp/5432", "tcp/40000", "icmp")),
    }


def announced(found: dict[str, Any]) -> set[str]:
    return {each["kind"] for each in found["assumptions"]}


async def check_variants(net: Plugged, asked: dict[str, Any], found: dict[str, Any]) -> int:
    """Compare with the answers to the same question with nothing left open; how many differ."""
    has_ports = asked["service"] != "icmp"
    ports = CLIENT_PORTS if has_ports else (None,)
    differing = 0
    for port, guests in product(ports, ("direct", "via-gateway")):
        said = {"guests": guests} | ({"source_port": port} if port else {})
        other = await net.ask(**asked, **said)
        if other["answer"] == found["answer"] or found["answer"] == "not-known":
            continue
        differing += 1
        excuses = {"guest"} if guests == "via-gateway" else set()
        if port is not None and port < 32768:
            excuses.add("client-port")
        assert announced(found) & excuses, (asked, said, found, other)
    return differing


async def check_owners(net: Plugged, asked: dict[str, Any], found: dict[str, Any]) -> None:
    """Declare for each port on the switch that it has the address, and ask again."""
    address = asked["destination"]
    for port in ("a1", "a2") if address.startswith("10.1.") else ("b1",):
        if address in OWN.values() or port == asked["source"]:
            continue
        before = await net.call("GET", f"/logical-switch-ports/{port}")
        elements = [f"{before['addresses'][0]} {address}", *before["addresses"][1:]]
        change = {"addresses": elements}
        made = await net.server.client.patch(f"/v1/logical-switch-ports/{port}", json=change)
        if made.status_code == 409:
            continue  # A port was declared for it, as was proposed.
        await net.server.translate()
        now = await net.ask(**asked)
        await net.change(f"/logical-switch-ports/{port}", addresses=before["addresses"])
        if "not-known" not in (now["answer"], found["answer"]) and now["answer"] != found["answer"]:
            assert announced(found) & {"owner", "unused"}, (asked, port, found, now)


async def check_proposal(net: Plugged, asked: dict[str, Any], found: dict[str, Any]) -> None:
    """What is called sufficient gives nobody an address of others, and helps."""
    proposal = found["proposal"]
    if proposal is None or not proposal["sufficient"]:
        return
    ports = (await net.call("GET", "/logical-switch-ports?limit=100"))["items"]
    for operation in (proposal["transaction"] or {"operations": []})["operations"]:
        values = operation.get("values", {})
        given = {word for each in values.get("addresses", []) for word in each.split()[1:]}
        for port in ports:
            if port["logical_switch"] == values.get("logical_switch"):
                allowed = {word for each in port["port_security"] for word in each.split()[1:]}
                shares = "10.1.0.96/28" in allowed and SHARED[0] in given
                assert not given & allowed, (found, port)
                assert not shares, (found, port)
    would_be = {"packet": "icmp a1 -> a2", "with": proposal["transaction"]}
    if proposal["transaction"]:
        tried = await net.server.client.post("/v1/trace", json=would_be)
        assert tried.status_code in (200, 422), tried.text
        await net.call("POST", "/transactions", proposal["transaction"])
    for command in proposal["commands"]:
        net.plug(command.partition("iface-id=")[2], "hv1")
    now = await net.ask(**asked)
    assert now["answer"] == "yes", (asked, found, now)


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_nothing_turns_out_otherwise_unannounced(database: Database, seed: int) -> None:
    random = Random(seed)
    async with serve(database) as server:
        net = await plugged(server)
        for _ in range(random.randrange(2, 7)):
            await random.choice(EDITS)(net, random)
        for _ in range(QUESTIONS):
            asked = question(random)
            found = await net.ask(**asked)
            assert (found["reachable"] is None) == (found["answer"] == "not-known")
            assert bool(found["unknowns"]) == (found["answer"] == "not-known")
            await check_variants(net, asked, found)
            await check_owners(net, asked, found)
            await check_proposal(net, asked, found)
