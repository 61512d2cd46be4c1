"""What becomes of addresses that packets taught."""

from ipaddress import ip_address
from typing import Any, cast

from chassis_agent.inputs import Change
from chassis_agent.learning.learned import UNCONFIRMED_SECONDS, LearnedAddresses
from chassis_agent.local.port_names import PortNames
from southbound.rows import Datapath, FdbEntry, MacBinding, PortBinding
from southbound.watch.client import WatchClient

MAC = bytes.fromhex("0a0000000001")


class Server:
    """Takes what a watch client is told."""

    def __init__(self) -> None:
        self.connected = True
        self.told: list[tuple[str, ...]] = []

    def learned_mac(self, *facts: str) -> None:
        self.told.append(facts)

    def learned_fdb(self, *facts: str) -> None:
        self.told.append(facts)


class World:
    def __init__(self, neighbours: tuple[str, ...] = ()) -> None:
        ports = PortNames()
        ports.change(
            [
                Datapath("lr", "lr", "router", 7),
                PortBinding(
                    *("id-r", "lr", "r", 1, "patch"),
                    addresses=("0a:00:00:00:00:fe 192.0.2.1",),
                    neighbours=neighbours,
                ),
            ],
            [],
        )
        self.now = 0.0
        self.rows: dict[tuple[type[Any], str], Any] = {}
        self.server = Server()
        self.learned = LearnedAddresses(
            "hv1",
            ports,
            cast(WatchClient, self.server),
            known=lambda table, key: self.rows.get((table, key)),
            learn=self._learn,
            clock=lambda: self.now,
        )

    def _learn(self, change: Change) -> None:
        self.rows[change[0], change[1]] = change[2]


def test_a_neighbour_is_known_at_once_and_told_to_the_server() -> None:
    world = World()
    world.learned.neighbour_learned(7, 1, bytes([192, 0, 2, 9]), MAC)
    row = world.rows[MacBinding, "r/192.0.2.9"]
    assert (row.port, row.mac, row.chassis) == ("r", "0a:00:00:00:00:01", "hv1")
    assert world.server.told == [("r", "192.0.2.9", "0a:00:00:00:00:01")]


def test_a_neighbour_that_the_port_cannot_have_is_not_learned() -> None:
    world = World(neighbours=("192.0.2.0/24",))
    for address in ("192.0.2.1", "192.0.2.255", "8.8.8.8"):
        world.learned.neighbour_learned(7, 1, ip_address(address).packed, MAC)
    assert (world.rows, world.server.told) == ({}, [])
    assert world.learned.refused == 3
    world.learned.neighbour_learned(7, 1, ip_address("192.0.2.9").packed, MAC)
    assert (MacBinding, "r/192.0.2.9") in world.rows


def test_an_ipv6_neighbour_and_an_address_behind_a_port() -> None:
    world = World()
    world.learned.neighbour_learned(7, 1, bytes(15) + b"\1", MAC)
    world.learned.fdb_learned(7, 1, MAC)
    assert (MacBinding, "r/::1") in world.rows
    assert world.rows[FdbEntry, "lr/0a:00:00:00:00:01"].port == "r"


def test_a_port_that_nobody_knows_teaches_nothing() -> None:
    world = World()
    world.learned.neighbour_learned(7, 2, bytes(4), MAC)
    world.learned.fdb_learned(8, 1, MAC)
    assert world.rows == {}
    assert world.server.told == []


def test_what_the_server_does_not_confirm_goes() -> None:
    world = World()
    world.learned.neighbour_learned(7, 1, bytes([192, 0, 2, 9]), MAC)
    world.learned.fdb_learned(7, 1, MAC)
    world.learned.confirm([MacBinding("lr", "r", "192.0.2.9", "0a:00:00:00:00:01")])
    world.now = UNCONFIRMED_SECONDS + 1
    world.server.connected = False
    world.learned.expire()
    assert world.rows[FdbEntry, "lr/0a:00:00:00:00:01"] is not None
    world.server.connected = True
    world.learned.expire()
    assert world.rows[FdbEntry, "lr/0a:00:00:00:00:01"] is None
    assert world.rows[MacBinding, "r/192.0.2.9"] is not None
