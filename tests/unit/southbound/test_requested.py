"""What the names in `requested_chassis` stand for."""

import pytest

from southbound.requested import HostNames, Requests, unresolved
from southbound.rows import Chassis, PortBinding


@pytest.fixture
def names() -> HostNames:
    names = HostNames()
    for name, hostname in (("hv1", "host-1"), ("hv2", "host-2"), ("hv3", "host-3")):
        names.put(Chassis(name, hostname))
    return names


def everyone(_chassis: str) -> bool:
    return True


def test_chassis_and_host_names_stand_for_chassis_in_their_order(names: HostNames) -> None:
    found = names.resolve(["host-2", "hv1"], everyone)
    assert found == (("hv2", "hv1"), ())


def test_a_name_that_none_has_is_told(names: HostNames) -> None:
    found = names.resolve(["host-9", "hv1"], everyone)
    assert found == (("hv1",), ("there is no chassis or host named host-9",))


def test_the_name_of_a_chassis_comes_before_host_names(names: HostNames) -> None:
    names.put(Chassis("rogue", "hv1"))
    assert names.resolve(["hv1"], everyone) == (("hv1",), ())


def test_a_host_name_that_two_have_stands_for_who_has_the_port(names: HostNames) -> None:
    names.put(Chassis("rogue", "host-1"))
    free = names.resolve(["host-1"], everyone)
    assert free.chassis == ()
    assert free.problems == ("the host name host-1 is ambiguous: chassis hv1 and rogue have it",)
    held = names.resolve(["host-1"], everyone, ["hv1"])
    assert held.chassis == ("hv1",)
    assert held.problems == (f"{free.problems[0]}; hv1 keeps the port",)
    for requested, chassis in (
        (["hv1", "host-1"], ("hv1", "rogue")),
        (["host-1", "hv1"], ("rogue", "hv1")),
    ):
        assert names.resolve(requested, everyone, ["hv1", "rogue"]).chassis == chassis
    assert names.resolve(["hv1", "host-1"], everyone, ["hv1"]).chassis == ("hv1",)


def test_a_dead_chassis_of_a_host_that_has_another_name_now_is_not_meant(names: HostNames) -> None:
    names.put(Chassis("renamed", "host-1"))
    assert names.resolve(["host-1"], lambda name: name != "hv1") == (("renamed",), ())


def test_a_host_name_that_changes_or_goes(names: HostNames) -> None:
    assert names.put(Chassis("hv1", "moved")) == {"hv1", "host-1", "moved"}
    assert names.resolve(["moved"], everyone).chassis == ("hv1",)
    assert not names.resolve(["host-1"], everyone).chassis
    assert names.remove("hv1") == {"hv1", "moved"}
    assert not names.resolve(["hv1"], everyone).chassis


def test_ports_are_found_by_the_names_that_they_request() -> None:
    requests = Requests()
    port = PortBinding("id-a", "d", "a", 1, "vif", requested_chassis=("hv1", "host-2"))
    requests.put(port)
    requests.put(PortBinding("id-b", "d", "b", 2, "vif"))
    assert requests.ports() == ["a"]
    assert requests.ports_naming(["host-2", "other"]) == ["a"]
    requests.put(PortBinding("id-a", "d", "a", 1, "vif", requested_chassis=("hv3",)))
    assert requests.ports_naming(["hv1", "host-2"]) == []
    assert requests.ports_naming(["hv3"]) == ["a"]
    requests.remove("id-a")
    assert requests.ports() == requests.ports_naming(["hv3"]) == []


def test_problems_are_told_of_rows_alone() -> None:
    port = PortBinding("id-a", "d", "a", 1, "vif", requested_chassis=("host-1", "hv9"))
    rows = {"hv1": Chassis("hv1", "host-1")}
    assert unresolved(port, rows) == ("there is no chassis or host named hv9",)
