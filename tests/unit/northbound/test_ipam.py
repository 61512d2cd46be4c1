"""Dynamic addresses, and who holds which."""

from typing import Any

import pytest
from sqlalchemy import event, func, select

from northbound.allocation import Pool
from northbound.database import Database
from northbound.errors import ConflictError, ExhaustedError
from northbound.models import AddressClaim, AllocationCursor
from northbound.services import LOGICAL_SWITCH_PORTS, LOGICAL_SWITCHES
from tests.unit.northbound.network import Network


def dynamic(network: Network, port: str) -> list[str]:
    """The dynamic MAC and IP addresses of a port."""
    found = network.get("port", port)["dynamic_addresses"]
    return found.split() if found else []


def add(network: Network, name: str, *addresses: str, switch: str = "web") -> list[str]:
    network.create("port", name=name, logical_switch=switch, addresses=list(addresses))
    return dynamic(network, name)


def claims(database: Database) -> int:
    with database.read() as reader:
        return reader.session.scalar(select(func.count()).select_from(AddressClaim)) or 0


def test_network_first_host_and_broadcast_are_never_given_out(network: Network) -> None:
    network.create("switch", name="web", subnet4="10.0.0.0/29")
    given = [add(network, f"p{i}", "dynamic")[1] for i in range(5)]
    assert given == ["10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6"]
    message = network.refused(
        ExhaustedError, "port", name="p5", logical_switch="web", addresses=["dynamic"]
    )
    assert message == "subnet 10.0.0.0/29 of 'web' is exhausted"


def test_exclusions_and_static_addresses_are_passed_over(network: Network) -> None:
    network.create(
        "switch",
        name="web",
        subnet4="10.0.0.0/24",
        exclude_ips=["10.0.0.4..10.0.0.9", "10.0.0.2", "10.0.0.8..10.0.0.11"],
    )
    assert add(network, "static", "0a:00:00:00:00:01 10.0.0.3") == []
    assert add(network, "p", "dynamic")[1] == "10.0.0.12"


def test_router_ports_hold_their_addresses(network: Network) -> None:
    network.create("switch", name="web", subnet4="10.0.0.0/24")
    network.create("router", name="r")
    network.create("router_port", name="r-web", logical_router="r", networks=["10.0.0.2/24"])
    network.create("port", name="web-r", logical_switch="web", router_port="r-web")
    assert add(network, "p", "dynamic")[1] == "10.0.0.3"
    network.refuses(
        ConflictError, lambda: network.update("router_port", "r-web", networks=["10.0.0.3/24"])
    )
    network.update("router_port", "r-web", networks=["10.0.0.9/24"])
    assert add(network, "static", "0a:00:00:00:00:02 10.0.0.2") == []
    network.refused(
        ConflictError,
        "port",
        name="q",
        logical_switch="web",
        addresses=["0a:00:00:00:00:03 10.0.0.9"],
    )


def test_ipv6_is_eui64(network: Network) -> None:
    network.create("switch", name="web", subnet6="fd00:1::/64")
    assert add(network, "p", "0a:00:00:00:00:01 dynamic") == [
        "0a:00:00:00:00:01",
        "fd00:1::800:ff:fe00:1",
    ]


def test_parts_may_be_given(network: Network) -> None:
    network.create("switch", name="web", subnet4="10.0.0.0/24", subnet6="fd00::/64")
    mac, ip4, ip6 = add(network, "a", "dynamic 10.0.0.77")
    assert mac.startswith("0a:")
    assert ip4 == "10.0.0.77"
    assert ip6.startswith("fd00::")
    mac, ip4, _ = add(network, "b", "0a:00:00:00:00:01 dynamic")
    assert (mac, ip4) == ("0a:00:00:00:00:01", "10.0.0.2")
    assert len({dynamic(network, port)[0] for port in ("a", "b")}) == 2


@pytest.mark.parametrize("address", ["0a:00:00:00:00:02 10.0.0.1", "0a:00:00:00:00:01 10.0.0.2"])
def test_an_address_has_one_holder_on_a_switch(network: Network, address: str) -> None:
    network.create("switch", name="web")
    network.create("switch", name="db")
    add(network, "p", "0a:00:00:00:00:01 10.0.0.1")
    message = network.refused(
        ConflictError, "port", name="q", logical_switch="web", addresses=[address]
    )
    assert "is already taken by logical switch port p" in message
    add(network, "q", address, switch="db")


def test_conflict_within_one_transaction(network: Network) -> None:
    network.create("switch", name="web")

    def both() -> None:
        with network.database.write(author="test") as tx:
            for name in ("p", "q"):
                values = {
                    "name": name,
                    "logical_switch": "web",
                    "addresses": ["0a:00:00:00:00:01 10.0.0.1"],
                }
                LOGICAL_SWITCH_PORTS.create(tx, values)

    assert "taken by logical switch port p" in network.refuses(ConflictError, both)


def test_deleted_ports_release_their_addresses_but_reuse_is_deferred(network: Network) -> None:
    network.create("switch", name="web", subnet4="10.0.0.0/29")
    assert add(network, "a", "dynamic")[1] == "10.0.0.2"
    network.delete("port", "a")
    assert claims(network.database) == 0
    given = [add(network, f"p{i}", "dynamic")[1] for i in range(5)]
    assert given == ["10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6", "10.0.0.2"]


def test_static_address_can_be_taken_over_in_one_transaction(network: Network) -> None:
    network.create("switch", name="web")
    add(network, "p", "0a:00:00:00:00:01 10.0.0.1")
    with network.database.write(author="test") as tx:
        LOGICAL_SWITCH_PORTS.delete(tx, "p")
        values: dict[str, Any] = {"name": "q", "logical_switch": "web"}
        values["addresses"] = ["0a:00:00:00:00:01 10.0.0.1"]
        LOGICAL_SWITCH_PORTS.create(tx, values)
    assert claims(network.database) == 2


def test_a_port_keeps_its_dynamic_addresses(network: Network) -> None:
    network.create("switch", name="web", subnet4="10.0.0.0/24")
    first = add(network, "p", "dynamic")
    network.update("port", "p", enabled=False, addresses=["dynamic", "unknown"])
    assert dynamic(network, "p") == first
    network.update("switch", "web", subnet6="fd00::/64")
    assert dynamic(network, "p")[:2] == first
    assert len(dynamic(network, "p")) == 3


def test_ports_follow_their_switch_to_another_subnet(network: Network) -> None:
    network.create("switch", name="web", subnet4="10.0.0.0/24")
    mac, _ = add(network, "p", "dynamic")
    add(network, "static", "0a:00:00:00:00:01 10.0.0.200")
    network.update("switch", "web", subnet4="10.1.0.0/24")
    assert dynamic(network, "p") == [mac, "10.1.0.2"]
    assert claims(network.database) == 4
    network.update("switch", "web", exclude_ips=["10.1.0.2..10.1.0.3"])
    assert dynamic(network, "p") == [mac, "10.1.0.4"]


def test_dynamic_turned_static_gives_its_address_up(network: Network) -> None:
    network.create("switch", name="web", subnet4="10.0.0.0/24")
    add(network, "p", "dynamic")
    network.update("port", "p", addresses=["unknown"])
    assert dynamic(network, "p") == []
    assert claims(network.database) == 0


def test_cost_of_an_allocation_does_not_grow_with_the_switch(network: Network) -> None:
    """Statements are counted, not time."""
    network.create("switch", name="web", subnet4="10.0.0.0/16")

    def statements(name: str) -> int:
        count = 0

        def counted(*_: Any) -> None:
            nonlocal count
            count += 1

        event.listen(network.database.engine, "before_cursor_execute", counted)
        try:
            add(network, name, "dynamic")
        finally:
            event.remove(network.database.engine, "before_cursor_execute", counted)
        return count

    small = statements("first")
    with network.database.write(author="test") as tx:
        for i in range(3000):
            values = {"name": f"p{i}", "logical_switch": "web", "addresses": ["dynamic"]}
            LOGICAL_SWITCH_PORTS.create(tx, values)
    assert statements("last") == small


def test_pool_searches_once_around(database: Database) -> None:
    taken = {2, 3, 5, 6, 8}
    looked: list[int] = []

    def stored(first: int, limit: int) -> list[int]:
        looked.append(first)
        return sorted(number for number in taken if number >= first)[:limit]

    with database.write(author="test", dry_run=True) as tx:
        tx.session.add(AllocationCursor(pool="test", next=6))
        tx.flush()
        pool = Pool(tx, "test", "the test's numbers", 1, 10, stored, [(9, 9), (10, 10)])
        assert [pool.take() for _ in range(3)] == [7, 1, 4]
        with pytest.raises(ExhaustedError, match="the test's numbers"):
            pool.take()


def test_tunnel_keys(network: Network) -> None:
    network.create("switch", name="a")
    network.create("router", name="b")
    network.create("switch", name="c")
    keys = [network.get(*at)["tunnel_key"] for at in (("switch", "a"), ("router", "b"))]
    assert [*keys, network.get("switch", "c")["tunnel_key"]] == [1, 2, 3]
    network.delete("switch", "c")
    network.create("switch", name="d")
    assert network.get("switch", "d")["tunnel_key"] == 4
    for name in ("p", "q"):
        network.create("port", name=name, logical_switch="a")
    network.create("port", name="r", logical_switch="d")
    keys = [network.get("port", name)["tunnel_key"] for name in ("p", "q", "r")]
    assert keys == [1, 2, 1]


def test_a_dry_run_allocates_nothing(network: Network) -> None:
    network.create("switch", name="web", subnet4="10.0.0.0/24")
    with network.database.write(author="test", dry_run=True) as tx:
        LOGICAL_SWITCHES.create(tx, {"name": "db"})
        values = {"name": "p", "logical_switch": "web", "addresses": ["dynamic"]}
        LOGICAL_SWITCH_PORTS.create(tx, values)
    assert len(tx.changes) == 2
    assert tx.committed is None
    assert add(network, "q", "dynamic")[1] == "10.0.0.2"
    assert network.names("switch") == ["web"]
