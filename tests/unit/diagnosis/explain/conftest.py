"""A network of two routers and three switches, whose ports are plugged in on two chassis.

`a1` and `a2` are on switch `a`, `b1` on `b`, both at router `r1`; `c1` is on `c` at router
`r2`. The routers meet on switch `transit` and know no routes yet.
"""

from dataclasses import dataclass
from typing import Any

import pytest

from southbound.rows import Chassis, Encap
from tests.unit.api.conftest import Server

NETWORK = """
document: explained
logical_switches:
  a:
    subnet4: 10.1.0.0/24
    ports:
      a1: {addresses: ["0a:00:00:00:01:01 10.1.0.11 fd01::11"]}
      a2: {addresses: ["0a:00:00:00:01:02 10.1.0.12 fd01::12"]}
      a-r1: {type: router, router_port: r1-a}
  b:
    subnet4: 10.2.0.0/24
    ports:
      b1: {addresses: ["0a:00:00:00:02:01 10.2.0.11 fd02::11"]}
      b-r1: {type: router, router_port: r1-b}
  c:
    subnet4: 10.3.0.0/24
    ports:
      c1: {addresses: ["0a:00:00:00:03:01 10.3.0.11 fd03::11"]}
      c-r2: {type: router, router_port: r2-c}
  transit:
    ports:
      transit-r1: {type: router, router_port: r1-transit}
      transit-r2: {type: router, router_port: r2-transit}
logical_routers:
  r1:
    ports:
      r1-a: {mac: "0a:00:00:01:00:01", networks: [10.1.0.1/24, "fd01::1/64"]}
      r1-b: {mac: "0a:00:00:01:00:02", networks: [10.2.0.1/24, "fd02::1/64"]}
      r1-transit: {mac: "0a:00:00:01:00:03", networks: [10.9.0.1/24, "fd09::1/64"]}
  r2:
    ports:
      r2-c: {mac: "0a:00:00:02:00:01", networks: [10.3.0.1/24, "fd03::1/64"]}
      r2-transit: {mac: "0a:00:00:02:00:02", networks: [10.9.0.2/24, "fd09::2/64"]}
port_groups:
  senders: {ports: [a1]}
  receivers: {ports: [b1]}
"""
PLACES = {"a1": "hv1", "a2": "hv1", "b1": "hv2", "c1": "hv2"}


@dataclass
class Plugged:
    """A server whose network's ports are all up, with shorthands for the API."""

    server: Server

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        answer = await self.server.client.request(method, f"/v1{path}", json=body)
        assert answer.is_success, answer.text
        await self.server.translate()
        return answer.json() if answer.content else None

    async def change(self, path: str, **fields: Any) -> None:
        await self.call("PATCH", path, fields)

    async def acl(self, owner: str, direction: str, priority: int, match: str, **more: Any) -> str:
        """A dropping ACL on ``pg:NAME`` or ``ls:NAME``; its id."""
        kind, _, name = owner.partition(":")
        body = {
            {"pg": "port_group", "ls": "logical_switch"}[kind]: name,
            "direction": direction,
            "priority": priority,
            "match": match,
            "action": "drop",
            **more,
        }
        return str((await self.call("POST", "/acls", body))["id"])

    async def explain(self, source: str = "a1", destination: str = "b1", **more: Any) -> Any:
        return await self.ask(source=source, destination=destination, **more)

    async def ask(self, **question: Any) -> Any:
        return await self.call("POST", "/reachability", question)

    def plug(self, port: str, chassis: str) -> None:
        facts = self.server.realised.facts
        facts.claim(chassis, port)
        facts.set_up(chassis, port, True)


async def plugged(server: Server) -> Plugged:
    """Make the network on a server, and plug its ports in."""
    headers = {"Content-Type": "application/yaml"}
    made = await server.client.post("/v1/apply", content=NETWORK, headers=headers)
    assert made.status_code == 200, made.text
    await server.translate()
    net = Plugged(server)
    for number, chassis in enumerate(("hv1", "hv2"), 1):
        encap = Encap("geneve", f"192.0.2.{number}")
        server.realised.facts.connected(Chassis(chassis, f"{chassis}.example.net", (encap,)))
        server.agents.connected[chassis] = server.realised.revision
    for port, chassis in PLACES.items():
        net.plug(port, chassis)
    return net


@pytest.fixture
async def net(server: Server) -> Plugged:
    return await plugged(server)
