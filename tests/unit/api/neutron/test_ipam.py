"""Which addresses ports get of the subnets of their network."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from api.neutron.attributes import UNSET
from api.neutron.errors import NeutronError
from api.neutron.ipam import AddressedPort, FixedIp, allocate, reallocate
from api.neutron.subnets import switch_subnet_id
from northbound.database import Database
from northbound.models import NeutronSubnet
from northbound.services import LOGICAL_SWITCH_PORTS, LOGICAL_SWITCHES
from northbound.transaction import Transaction

NET = "0b4b5f0e-52c1-4d1f-9d1f-000000000000"
MAC = "0a:00:00:00:00:01"
FOUR, SIX, AUTO = (f"0b4b5f0e-52c1-4d1f-9d1f-00000000000{i}" for i in (4, 6, 7))
ROUTER = "network:router_interface"


def subnet(subnet_id: str, cidr: str, pool: tuple[str, str], **more: Any) -> NeutronSubnet:
    return NeutronSubnet(
        id=subnet_id,
        network_id=NET,
        project="default",
        ip_version=6 if ":" in cidr else 4,
        cidr=cidr,
        allocation_pools=[list(pool)],
        **more,
    )


class Lab:
    """A network, in one transaction that stays open."""

    def __init__(self, tx: Transaction) -> None:
        self.tx = tx
        LOGICAL_SWITCHES.create(tx, {"id": NET, "name": "net"})

    def subnets(self, *subnets: NeutronSubnet) -> None:
        for each in subnets:
            self.tx.add(each)
        self.tx.flush()

    def plug(self, *ips: str, mac: str | None = None) -> str:
        """Let a port of the switch have addresses, as any API could."""
        element = " ".join([mac or "dynamic", *ips])
        values = {"logical_switch": NET, "addresses": [element]}
        return LOGICAL_SWITCH_PORTS.create(self.tx, values).id

    def ask(self, wanted: Any = UNSET, owner: str = "", mac: str = MAC) -> list[str]:
        return addresses(allocate(self.tx, AddressedPort(NET, mac, owner), wanted))

    def refused(self, status: int, type_: str, wanted: Any = UNSET, owner: str = "") -> str:
        with pytest.raises(NeutronError) as caught:
            self.ask(wanted, owner)
        assert (caught.value.status, caught.value.type) == (status, type_)
        return str(caught.value)


def addresses(fixed: Sequence[FixedIp]) -> list[str]:
    return [each.ip_address for each in fixed]


@pytest.fixture
def lab(database: Database) -> Iterator[Lab]:
    with database.write(author="test") as tx:
        yield Lab(tx)


def small_four() -> NeutronSubnet:
    return subnet(FOUR, "10.0.0.0/24", ("10.0.0.2", "10.0.0.4"))


def stateful_six() -> NeutronSubnet:
    return subnet(SIX, "fd00::/64", ("fd00::1", "fd00::ffff:ffff:ffff:ffff"))


def automatic() -> NeutronSubnet:
    return subnet(AUTO, "fd01::/64", ("fd01::1", "fd01::ff"), ipv6_address_mode="slaac")


def test_a_port_gets_one_address_of_each_version(lab: Lab) -> None:
    lab.subnets(small_four(), stateful_six(), automatic())
    assert lab.ask() == ["10.0.0.2", "fd00::1", "fd01::800:ff:fe00:1"]
    assert lab.ask() == ["10.0.0.3", "fd00::2", "fd01::800:ff:fe00:1"]


def test_none_where_there_is_no_subnet(lab: Lab) -> None:
    assert lab.ask() == []
    assert lab.ask([]) == []
    lab.refused(400, "InvalidInput", [{"ip_address": "10.0.0.7"}])


def test_what_ports_hold_is_passed_over_and_comes_back(lab: Lab) -> None:
    lab.subnets(small_four())
    lab.plug("10.0.0.2")
    port = lab.plug("10.0.0.3")
    assert lab.ask() == ["10.0.0.4"]
    lab.plug("10.0.0.4")
    message = lab.refused(409, "IpAddressGenerationFailure")
    assert message == f"No more IP addresses available on network {NET}."
    LOGICAL_SWITCH_PORTS.delete(lab.tx, port)
    assert lab.ask() == ["10.0.0.3"]


def test_the_next_subnet_is_taken_when_one_is_full(lab: Lab) -> None:
    other = subnet(SIX, "10.0.1.0/24", ("10.0.1.2", "10.0.1.9"))
    lab.subnets(subnet(FOUR, "10.0.0.0/24", ("10.0.0.2", "10.0.0.2")), other)
    assert lab.ask() == ["10.0.0.2"]
    lab.plug("10.0.0.2")
    assert lab.ask() == ["10.0.1.2"]


def test_addresses_rest_before_they_are_given_out_again(database: Database) -> None:
    given = []
    for attempt in range(4):
        with database.write(author="test") as tx:
            if attempt == 0:
                Lab(tx).subnets(small_four())
            [fixed] = allocate(tx, AddressedPort(NET, MAC), UNSET)
            given.append(fixed.ip_address)
            LOGICAL_SWITCHES.update(tx, NET, {"display_name": str(attempt)})
    assert given == ["10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.2"]


def test_what_is_asked_for(lab: Lab) -> None:
    lab.subnets(small_four(), stateful_six(), automatic())
    last = "fd01::800:ff:fe00:1"
    assert lab.ask([{"subnet_id": SIX}]) == ["fd00::1", last]
    assert lab.ask([{"ip_address": "10.0.0.99"}]) == ["10.0.0.99", last]
    both = [{"subnet_id": FOUR}, {"subnet_id": FOUR, "ip_address": "10.0.0.2"}]
    assert lab.ask(both) == ["10.0.0.3", "10.0.0.2", last]
    assert lab.ask([]) == [last]
    assert lab.ask([{"subnet_id": AUTO}]) == [last]
    assert lab.ask([{"subnet_id": AUTO, "ip_address": last}]) == [last]


@pytest.mark.parametrize(
    ("status", "type_", "wanted"),
    [
        (400, "InvalidIpForNetwork", {"ip_address": "192.0.2.1"}),
        (400, "InvalidIpForNetwork", {"ip_address": "10.0.0.0"}),
        (400, "InvalidIpForNetwork", {"ip_address": "10.0.0.255"}),
        (400, "InvalidIpForSubnet", {"subnet_id": FOUR, "ip_address": "192.0.2.1"}),
        (400, "InvalidIpForSubnet", {"subnet_id": FOUR, "ip_address": "fd00::1"}),
        (404, "SubnetNotFound", {"subnet_id": NET}),
        (400, "InvalidInput", {}),
        (409, "IpAddressAlreadyAllocated", {"ip_address": "10.0.0.3"}),
        (400, "AllocationOnAutoAddressSubnet", {"ip_address": "fd01::5"}),
    ],
)
def test_what_is_refused(lab: Lab, status: int, type_: str, wanted: dict[str, str]) -> None:
    lab.subnets(small_four(), automatic())
    lab.plug("10.0.0.3")
    lab.refused(status, type_, [wanted])


def test_one_address_twice_is_refused(lab: Lab) -> None:
    lab.subnets(small_four())
    wanted = [{"ip_address": "10.0.0.3"}, {"ip_address": "10.0.0.3", "subnet_id": FOUR}]
    lab.refused(409, "IpAddressAlreadyAllocated", wanted)


def test_a_subnet_of_another_network_is_refused(lab: Lab) -> None:
    other = LOGICAL_SWITCHES.create(lab.tx, {"name": "other"})
    there = small_four()
    there.network_id = other.id
    lab.subnets(there, stateful_six())
    message = lab.refused(400, "InvalidInput", [{"subnet_id": FOUR}])
    assert f"included invalid subnet {FOUR}" in message


def test_routers_choose_their_addresses(lab: Lab) -> None:
    lab.subnets(automatic())
    assert lab.ask([{"ip_address": "fd01::"}], ROUTER) == ["fd01::"]
    assert lab.ask([{"subnet_id": AUTO}], ROUTER) == ["fd01::1"]
    lab.refused(400, "InvalidIpForNetwork", [{"ip_address": "fd01::"}], "compute:nova")


def test_subnets_for_owners(lab: Lab) -> None:
    lab.subnets(subnet(FOUR, "10.0.0.0/24", ("10.0.0.2", "10.0.0.9"), service_types=[ROUTER]))
    assert lab.ask(owner=ROUTER) == ["10.0.0.2"]
    lab.refused(409, "IpAddressGenerationFailureNoMatchingSubnet", owner="compute:nova")


def test_subnets_of_a_switch(lab: Lab) -> None:
    patch = {"subnet4": "10.9.0.0/24", "exclude_ips": ["10.9.0.2..10.9.0.4"]}
    LOGICAL_SWITCHES.update(lab.tx, NET, {**patch, "subnet6": "fd09::/64"})
    fixed = allocate(lab.tx, AddressedPort(NET, MAC), UNSET)
    assert addresses(fixed) == ["10.9.0.5", "fd09::800:ff:fe00:1"]
    assert [each.subnet_id for each in fixed] == [switch_subnet_id(NET, v) for v in (4, 6)]


def change(lab: Lab, held: Sequence[str], wanted: Any, mac: str = MAC) -> list[str]:
    """Change the addresses of a port whose MAC address was MAC."""
    port = lab.plug(*held, mac="0a:00:00:00:00:99")
    has = [FixedIp(FOUR if "." in each else AUTO, each) for each in held]
    return addresses(reallocate(lab.tx, AddressedPort(NET, mac, "", port), has, wanted, MAC))


AUTOMATIC = "fd01::800:ff:fe00:1"


@pytest.mark.parametrize(
    ("held", "wanted", "mac", "after"),
    [
        (["10.0.0.3"], UNSET, MAC, ["10.0.0.3"]),
        (["10.0.0.3"], [{"subnet_id": FOUR}], MAC, ["10.0.0.3", AUTOMATIC]),
        (["10.0.0.3"], [{"ip_address": "10.0.0.3"}], MAC, ["10.0.0.3", AUTOMATIC]),
        (["10.0.0.3"], [{"ip_address": "10.0.0.4"}], MAC, ["10.0.0.4", AUTOMATIC]),
        (["10.0.0.3"], [{"subnet_id": FOUR}] * 2, MAC, ["10.0.0.3", "10.0.0.2", AUTOMATIC]),
        (["10.0.0.3", AUTOMATIC], [], MAC, [AUTOMATIC]),
        (
            ["10.0.0.3", AUTOMATIC],
            UNSET,
            "0a:00:00:00:00:02",
            ["10.0.0.3", "fd01::800:ff:fe00:2"],
        ),
        (
            ["10.0.0.3", AUTOMATIC],
            [{"ip_address": "10.0.0.4"}, {"ip_address": AUTOMATIC, "subnet_id": AUTO}],
            "0a:00:00:00:00:02",
            ["10.0.0.4", "fd01::800:ff:fe00:2"],
        ),
    ],
)
def test_changes(lab: Lab, held: list[str], wanted: Any, mac: str, after: list[str]) -> None:
    lab.subnets(small_four(), automatic())
    assert change(lab, held, wanted, mac) == after


def test_taking_an_address_costs_the_same_in_a_large_network(
    lab: Lab, statements: Callable[[], int]
) -> None:
    lab.subnets(subnet(FOUR, "10.0.0.0/16", ("10.0.0.2", "10.0.255.254")), stateful_six())
    costs = []
    for count in (1, 300):
        for _ in range(count):
            lab.plug(*lab.ask())
        before = statements()
        lab.ask()
        costs.append(statements() - before)
    assert costs[0] >= costs[1]
