"""Port groups, address sets and ACLs."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from northbound.database import Database
from northbound.errors import ConflictError, InvalidError, ReferencedError
from northbound.services import ACLS, ADDRESS_SETS, PORT_GROUPS
from tests.unit.northbound.network import Network

RULE = {"direction": "to-lport", "priority": 100, "match": "ip4", "action": "drop"}


@pytest.fixture
def groups(network: Network) -> Network:
    """Three ports on two switches, a port group and an address set."""
    for switch, ports in (("web", ("w1", "w2")), ("db", ("d1",))):
        network.create("switch", name=switch)
        for port in ports:
            network.create("port", name=port, logical_switch=switch)
    network.create("group", name="pg", ports=["w1", "d1"])
    network.create("set", name="as", addresses=["10.0.0.0/8", "192.0.2.1/32"])
    return network


def test_members(groups: Network) -> None:
    assert groups.get("group", "pg")["ports"] == ["d1", "w1"]
    assert groups.get("set", "as")["addresses"] == ["10.0.0.0/8", "192.0.2.1"]
    changes = groups.update("group", "pg", ports=["w2", "w1"])
    assert [change.table for change in changes] == ["port_group_port"] * 2
    changes = groups.update("set", "as", addresses=["192.0.2.1", "192.0.2.2"])
    assert {
        (change.before or {}).get("address"): (change.after or {}).get("address")
        for change in changes
    } == {"10.0.0.0/8": None, None: "192.0.2.2"}


def test_a_patch_that_names_no_members_leaves_them_alone(groups: Network) -> None:
    for kind, name, table, members in (
        ("group", "pg", "port_group_port", {"ports": ["d1", "w1"]}),
        ("set", "as", "address_set_address", {"addresses": ["10.0.0.0/8", "192.0.2.1"]}),
    ):
        with statements(groups.database) as seen:
            groups.update(kind, name, display_name="ours", labels={"team": "a"})
        assert seen
        assert not any(table in statement for statement in seen)
        assert groups.get(kind, name)["display_name"] == "ours"
        assert {field: groups.get(kind, name)[field] for field in members} == members
        groups.update(kind, name, **dict.fromkeys(members))
        assert all(groups.get(kind, name)[field] == [] for field in members)


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """What is asked of a database, for as long as the context lasts."""
    seen: list[str] = []

    def note(*arguments: Any) -> None:
        seen.append(arguments[2])

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def test_a_changed_member_is_a_new_version_of_its_owner(groups: Network) -> None:
    with groups.database.write(author="test") as tx:
        PORT_GROUPS.add_ports(tx, "pg", ["w1", "w2"])
        PORT_GROUPS.remove_ports(tx, "pg", ["d1"])
        ADDRESS_SETS.add_addresses(tx, "as", ["192.0.2.9"])
        ADDRESS_SETS.remove_addresses(tx, "as", ["10.0.0.0/8", "10.1.0.0/16"])
    assert len(tx.changes) == 4
    assert groups.get("group", "pg")["ports"] == ["w1", "w2"]
    assert groups.get("group", "pg")["version"] == tx.committed
    assert groups.get("set", "as")["addresses"] == ["192.0.2.1", "192.0.2.9"]
    assert groups.get("set", "as")["version"] == tx.committed
    with groups.database.write(author="test") as tx:
        PORT_GROUPS.add_ports(tx, "pg", ["w1"])
        ADDRESS_SETS.add_addresses(tx, "as", ["192.0.2.9/32"])
    assert tx.committed is None


def test_members_that_cannot_be(groups: Network) -> None:
    assert list(groups.faults("group", name="g", ports=["w1", "nobody"])) == ["/ports/1"]
    assert list(groups.faults("set", name="s", addresses=["10.0.0.1", "x"])) == ["/addresses/1"]
    assert list(groups.faults("set", name="my-set")) == ["/name"]


def test_a_set_may_hold_addresses_of_all_kinds(groups: Network) -> None:
    addresses = ["0a:00:00:00:00:01", "10.0.0.1", "fd00::/64"]
    groups.create("set", name="all", addresses=addresses[:2])
    with groups.database.write(author="test") as tx:
        ADDRESS_SETS.add_addresses(tx, "all", addresses[2:])
    assert groups.get("set", "all")["addresses"] == addresses


def test_an_acl_keeps_its_name_though_it_is_not_found_by_it(groups: Network) -> None:
    acl = groups.create("acl", logical_switch="web", name="no-ip4", **RULE)
    assert groups.get("acl", acl)["name"] == "no-ip4"
    groups.update("acl", acl, name="")
    assert groups.get("acl", acl)["name"] == ""


def test_match_that_does_not_parse_gets_a_caret(groups: Network) -> None:
    with pytest.raises(InvalidError) as caught:
        groups.create("acl", **{**RULE, "logical_switch": "web", "match": "ip4 && tcp.dst = 80"})
    (problem,) = caught.value.problems
    assert problem.pointer == "/match"
    assert problem.value == "ip4 && tcp.dst = 80"
    assert problem.position == 15
    assert problem.excerpt == "ip4 && tcp.dst = 80\n" + " " * 15 + "^"


def test_all_that_is_wrong_is_told(groups: Network) -> None:
    wrong = {**RULE, "logical_switch": "nowhere", "priority": 40000, "match": "tcp.dport == 80"}
    assert list(groups.faults("acl", **wrong)) == ["/priority", "/match"]
    assert list(groups.faults("acl", **{**wrong, "priority": 1})) == ["/logical_switch", "/match"]
    match = "ip4.src == $nets && inport == @nobody && ip4.dst == $pg_ip4"
    with pytest.raises(InvalidError) as caught:
        groups.create("acl", **{**RULE, "logical_switch": "web", "match": match})
    assert [problem.reason for problem in caught.value.problems] == [
        "there is no address set 'nets'",
        "there is no port group 'nobody'",
    ]
    acl = groups.create("acl", **{**RULE, "logical_switch": "web"})
    with pytest.raises(InvalidError) as caught:
        groups.update("acl", acl, tier=9, match="ip4 &&")
    assert [problem.pointer for problem in caught.value.problems] == ["/tier", "/match"]


def test_match_names_sets_that_exist(groups: Network) -> None:
    match = "inport == @pg && ip4.src == $nets"
    with pytest.raises(InvalidError) as caught:
        groups.create("acl", **{**RULE, "logical_switch": "web", "match": match})
    (problem,) = caught.value.problems
    assert problem.reason == "there is no address set 'nets'"
    assert problem.excerpt == match + "\n" + " " * match.index("$") + "^^^^^"


@pytest.mark.parametrize(
    ("values", "pointer"),
    [
        ({"logical_switch": None}, ""),
        ({"port_group": "pg"}, ""),
        ({"logical_switch": "nowhere"}, "/logical_switch"),
        ({"direction": "both"}, "/direction"),
        ({"tier": 4}, "/tier"),
        ({"priority": 32768}, "/priority"),
        ({"priority": -1}, "/priority"),
        ({"action": "permit"}, "/action"),
        ({"match": ""}, "/match"),
        ({"match": "reg0 == 1"}, "/match"),
        ({"match": 'outport == "w1"', "direction": "from-lport"}, "/match"),
        ({"label": 1 << 32}, "/label"),
        ({"severity": "loud"}, "/severity"),
        ({"direction": "to-lport", "apply_after_lb": True}, "/apply_after_lb"),
    ],
)
def test_acl_that_cannot_be(groups: Network, values: dict[str, object], pointer: str) -> None:
    good = {**RULE, "logical_switch": "web"}
    assert list(groups.faults("acl", **{**good, **values})) == [pointer]


def test_acls(groups: Network) -> None:
    acl = groups.create("acl", **RULE, port_group="pg", name="no-v4", log=True)
    seen = groups.get("acl", acl)
    assert (seen["port_group"], seen["logical_switch"]) == ("pg", None)
    assert (seen["tier"], seen["severity"], seen["log"], seen["label"]) == (0, "info", True, 0)
    groups.refused(ConflictError, "acl", **RULE, port_group="pg")
    groups.create("acl", **RULE, logical_switch="web")
    groups.create("acl", **{**RULE, "tier": 1}, port_group="pg")
    late = {**RULE, "direction": "from-lport", "apply_after_lb": True}
    groups.create("acl", **{**late, "apply_after_lb": False}, port_group="pg")
    groups.create("acl", **late, port_group="pg")
    groups.refused(ConflictError, "acl", **late, port_group="pg")
    groups.refuses(
        InvalidError, lambda: groups.update("acl", acl, port_group=None, logical_switch="web")
    )
    groups.update("acl", acl, action="reject")
    assert groups.get("acl", acl)["action"] == "reject"


def test_two_equal_acls_in_one_transaction(groups: Network) -> None:
    def both() -> None:
        with groups.database.write(author="test") as tx:
            for _ in range(2):
                ACLS.create(tx, {**RULE, "port_group": "pg"})

    groups.refuses(ConflictError, both)


def test_an_acl_can_take_the_place_of_another(groups: Network) -> None:
    old = groups.create("acl", **RULE, port_group="pg")
    with groups.database.write(author="test") as tx:
        ACLS.update(tx, old, {"priority": 5})
        ACLS.create(tx, {**RULE, "port_group": "pg"})
    with groups.database.write(author="test") as tx:
        ACLS.delete(tx, old)
        ACLS.create(tx, {**RULE, "priority": 5, "port_group": "pg"})
    assert tx.committed is not None


def test_sets_that_are_in_use_stay(groups: Network) -> None:
    acl = groups.create(
        "acl", **{**RULE, "match": "outport == @pg && ip4.src == $as"}, logical_switch="web"
    )
    for kind, name in (("set", "as"), ("group", "pg")):
        with pytest.raises(ReferencedError) as caught:
            groups.delete(kind, name)
        assert [referent.id for referent in caught.value.referrers] == [acl]
        groups.refuses(ReferencedError, lambda k=kind, n=name: groups.update(k, n, name="other"))
    groups.update("acl", acl, match="outport == @pg")
    groups.delete("set", "as")
    groups.delete("acl", acl)
    groups.delete("group", "pg")


def test_a_group_goes_with_its_own_acls(groups: Network) -> None:
    groups.create("acl", **{**RULE, "match": "outport == @pg"}, port_group="pg")
    tables = sorted(change.table for change in groups.delete("group", "pg"))
    assert tables == ["acl", "port_group", "port_group_port", "port_group_port"]
    groups.create("group", name="pg")


def test_reference_made_and_ended_in_one_transaction(groups: Network) -> None:
    with groups.database.write(author="test") as tx:
        ADDRESS_SETS.create(tx, {"name": "new"})
        acl = ACLS.create(tx, {**RULE, "match": "ip4.src == $new", "port_group": "pg"})
        with pytest.raises(ReferencedError):
            ADDRESS_SETS.delete(tx, "new")
        ACLS.delete(tx, acl.id)
        ADDRESS_SETS.delete(tx, "new")
    assert tx.committed is None


def test_an_acl_names_a_meter_that_is_there(groups: Network) -> None:
    faults = groups.faults("acl", **RULE, logical_switch="web", log=True, meter="slow")
    assert list(faults) == ["/meter"]
    groups.create("meter", name="slow", rate=5)
    groups.create("acl", **RULE, logical_switch="web", log=True, meter="slow")
    assert "/rate" in groups.faults("meter", name="none", rate=0)
