"""What a request costs in SQL, counted: statements, as the database gets them.

A number that goes up here is a cost that every user pays; one that goes down is to be
lowered here, too.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pytest
from sqlalchemy import event

from northbound.database import Database
from tests.unit.api.conftest import Server

Statements = list[str]


@contextmanager
def counted(database: Database) -> Iterator[Statements]:
    """The statements that the block's requests run, transactions' beginnings and ends aside."""
    statements: Statements = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith("BEGIN"):
            statements.append(" ".join(statement.split()))

    engines = (database.engine, database.derived)
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)


def port(number: int) -> dict[str, object]:
    address = f"0a:00:00:00:01:{number:02x} 10.0.0.{number}"
    return {"name": f"web-{number}", "addresses": [address], "port_security": [address]}


def router_port(number: int) -> dict[str, object]:
    return {"name": f"edge-{number}", "networks": [f"172.16.{number}.1/24"]}


def route(number: int) -> dict[str, object]:
    return {"ip_prefix": f"192.0.{number}.0/24", "nexthop": "172.16.0.9"}


@pytest.fixture
async def network(server: Server) -> Server:
    """A switch with ten ports, a group and a set with members, and an ACL that names both.

    A router has three networks, and a route.
    """
    client = server.client
    await client.post("/v1/logical-switches", json={"name": "web"})
    for number in range(10):
        await client.post("/v1/logical-switches/web/ports", json=port(10 + number))
    ports = [f"web-{10 + number}" for number in range(5)]
    await client.post("/v1/port-groups", json={"name": "servers", "ports": ports})
    addresses = [f"10.1.0.{number}" for number in range(1, 100)]
    await client.post("/v1/address-sets", json={"name": "friends", "addresses": addresses})
    acl = {
        "port_group": "servers",
        "direction": "to-lport",
        "priority": 1000,
        "match": "outport == @servers && ip4.src == $friends",
        "action": "allow-related",
    }
    answer = await client.post("/v1/acls", json=acl)
    assert answer.status_code == 201, answer.text
    await client.post("/v1/logical-routers", json={"name": "edge"})
    for number in range(3):
        await client.post("/v1/logical-routers/edge/ports", json=router_port(number))
    answer = await client.post("/v1/logical-routers/edge/static-routes", json=route(0))
    assert answer.status_code == 201, answer.text
    await server.translate()
    return server


class Cost(NamedTuple):
    """How many statements commit a change of intent, and how many translate and store it."""

    committed: int
    translated: int


REQUESTS: dict[str, tuple[Cost, str, str, object]] = {
    "a port": (Cost(11, 3), "POST", "/v1/logical-switches/web/ports", port(99)),
    "a port disabled": (
        *(Cost(7, 3), "PATCH", "/v1/logical-switch-ports/web-10"),
        {"enabled": False},
    ),
    "nothing changed": (
        *(Cost(4, 1), "PATCH", "/v1/logical-switch-ports/web-10"),
        {"enabled": True},
    ),
    "a member of a group": (Cost(10, 2), "PUT", "/v1/port-groups/servers/ports/web-19", None),
    "a member of a set": (Cost(9, 2), "PUT", "/v1/address-sets/friends/addresses/10.9.0.1", None),
    "a port gone": (Cost(12, 4), "DELETE", "/v1/logical-switch-ports/web-10", None),
    "an ACL changed": (Cost(9, 2), "PATCH", "/v1/acls/{acl}", {"action": "drop"}),
    "a route": (Cost(11, 2), "POST", "/v1/logical-routers/edge/static-routes", route(2)),
    "a route gone": (Cost(5, 2), "DELETE", "/v1/static-routes/{route}", None),
    "a router port": (Cost(12, 3), "POST", "/v1/logical-routers/edge/ports", router_port(9)),
    "a router port gone": (Cost(7, 3), "DELETE", "/v1/logical-router-ports/edge-2", None),
    "a switch": (Cost(8, 3), "POST", "/v1/logical-switches", {"name": "db"}),
}


async def test_who_prefers_a_short_answer_does_not_pay_for_the_members(network: Server) -> None:
    path = "/v1/address-sets/friends/addresses/10.9.0.1"
    with counted(network.backend.database) as statements:
        answer = await network.client.put(path, headers={"Prefer": "return=minimal"})
    assert answer.status_code == 204
    read = [each for each in statements if "FROM address_set_address" in each]
    assert len(read) == 2, "whether it is there, and how many there are"


@pytest.mark.parametrize("name", REQUESTS)
async def test_statements_of_a_request(network: Server, name: str) -> None:
    cost, method, path, body = REQUESTS[name]
    ids = {
        kind: (await network.client.get(f"/v1/{plural}")).json()["items"][0]["id"]
        for kind, plural in (("acl", "acls"), ("route", "static-routes"))
    }
    path = path.format(**ids)
    with counted(network.backend.database) as committing:
        answer = await network.client.request(method, path, json=body)
    assert answer.is_success, answer.text
    with counted(network.backend.database) as translating:
        await network.translate()
    assert Cost(len(committing), len(translating)) == cost, [*committing, *translating]


async def test_statements_do_not_grow_with_the_members(network: Server) -> None:
    addresses = [f"10.2.{high}.{low}" for high in range(8) for low in range(250)]
    path = "/v1/address-sets/friends/addresses"
    answer = await network.client.post(path, json={"add": addresses})
    assert answer.status_code == 200, answer.text
    await network.translate()
    with counted(network.backend.database) as statements:
        answer = await network.client.put(f"{path}/10.9.0.1")
        await network.translate()
    assert answer.is_success
    assert len(statements) == sum(REQUESTS["a member of a set"][0])
