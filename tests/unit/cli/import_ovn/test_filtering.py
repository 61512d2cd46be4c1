"""Address sets, port groups and ACLs, from rows to the document."""

from typing import Any

import pytest

from cli.import_ovn.translation import Imported, translate
from tests.unit.cli.import_ovn.rows import Database, losses, notes, references


def with_acls(*acls: dict[str, Any]) -> Imported:
    """A switch with these ACLs, beside the port group ``pg`` and the address set ``offices``."""
    database = Database()
    uuids = [database.acl(**acl) for acl in acls]
    port = database.port("p")
    database.switch(port, acls=references(*uuids))
    database.add("Port_Group", name="pg", ports=references(port))
    database.add("Address_Set", name="offices", addresses=["192.0.2.0/24"])
    return database.translated()


def acls_of(imported: Imported) -> list[dict[str, Any]]:
    found = imported.document["logical_switches"]["sw"].get("acls", [])
    assert isinstance(found, list)
    return found


def test_an_acl_keeps_what_it_is() -> None:
    match = "outport == @pg && ip4.src == {$offices, $pg_ip4} // some"
    imported = with_acls(
        {
            "match": match,
            "priority": 32767,
            "action": "allow-related",
            "name": ["some"],
            "tier": 2,
            "log": True,
            "severity": ["alert"],
            "label": 7,
            "external_ids": {"a": "b"},
        }
    )
    assert imported.report.findings == []
    assert acls_of(imported) == [
        {
            "name": "some",
            "direction": "to-lport",
            "tier": 2,
            "priority": 32767,
            "match": match,
            "action": "allow-related",
            "log": True,
            "severity": "alert",
            "label": 7,
            "external_ids": {"a": "b"},
        }
    ]


@pytest.mark.parametrize(
    "action", ["allow", "allow-related", "allow-stateless", "drop", "reject", "pass"]
)
def test_every_action(action: str) -> None:
    imported = with_acls({"match": "ip", "action": action})
    assert losses(imported) == []
    assert acls_of(imported)[0]["action"] == action


@pytest.mark.parametrize(
    ("match", "place", "why", "lost"),
    [
        ("ip4.src == 1.2.3.4/33", "at position 19", "Prefix length", False),
        ("ip6.dst == <nil> && tcp", "at position 11", "expecting constant", False),
        ("tcp && ip4.src == $nosuch", "at position 18", "there is no $nosuch", False),
        ("outport == @nosuch", "at position 11", "there is no @nosuch", False),
        ("ip4 && !icmp4", "at position 8", "Treadle would heed it", False),
        ("ip4) || (tcp", "at position 3", "", True),
        ("reg0 == 1", "at position 0", "not available in ACLs", True),
        ("ip4.dst == ^NODE && tcp", "at position 11", "`^NODE' is a variable of chassis", True),
    ],
)
def test_a_match_that_treadle_does_not_take_is_listed_with_the_place(
    match: str, place: str, why: str, lost: bool
) -> None:
    """It is lost unless OVN itself does nothing with it."""
    imported = with_acls({"match": match}, {"match": "ip"})
    assert [acl["match"] for acl in acls_of(imported)] == ["ip"]
    ((found),) = imported.report.findings
    assert found.changes_verdicts is lost
    assert found.column == "match"
    assert place in found.reason
    assert why in found.reason


@pytest.mark.parametrize(
    ("match", "imported_as"),
    [
        ("outport == @pg && udp.src == 68", None),
        ('(outport == "p" || outport == @pg) && (ip4 || ip6)', None),
        ('outport == "p" || tcp', "tcp"),
        ('inport == "p" && (outport == @pg || udp.dst == 53 || tcp)', "udp.dst == 53 || tcp"),
    ],
)
def test_an_egress_port_that_no_packet_has_yet(match: str, imported_as: str | None) -> None:
    imported = with_acls({"match": match, "direction": "from-lport"})
    assert losses(imported) == []
    assert "no packet has an outport" in notes(imported)[0].reason
    found = [acl["match"] for acl in acls_of(imported)]
    assert len(found) == (imported_as is not None)
    assert all(imported_as and imported_as in text for text in found)
    assert not any("outport" in text for text in found)


def test_a_set_that_is_not_imported_takes_its_acls_along() -> None:
    database = Database()
    acl = database.acl("ip4.src == $s")
    database.switch(acls=references(acl))
    database.add("Address_Set", name="s", addresses=["10.0.0.0/255.0.255.0"])
    assert [column for _, column in losses(database.translated())] == ["addresses", "match"]


@pytest.mark.parametrize(
    ("action", "match", "lost"),
    [
        ("reject", "tcp || udp", True),
        ("reject", "(tcp || udp)", False),
        ("reject", "tcp && (ip4 || ip6)", False),
        ("drop", "tcp || udp", False),
    ],
)
def test_a_rejection_that_ovn_passes_over(action: str, match: str, lost: bool) -> None:
    imported = with_acls({"match": match, "action": action})
    assert bool(losses(imported)) is lost
    assert acls_of(imported)[0]["match"] == match


def test_acls_that_say_the_same_are_one() -> None:
    imported = with_acls({"match": "ip"}, {"match": "ip", "name": ["again"]})
    assert len(acls_of(imported)) == 1
    assert losses(imported) == []
    assert "says the same" in notes(imported)[0].reason


def test_an_acl_after_load_balancing_is_another_one() -> None:
    late = {"match": "ip", "direction": "from-lport", "options": {"apply-after-lb": "true"}}
    early = {"match": "ip", "direction": "from-lport", "action": "allow"}
    to_lport = {"match": "ip", "options": {"apply-after-lb": "true"}}
    imported = with_acls(late, early, to_lport)
    assert not imported.report.findings
    assert [acl.get("apply_after_lb", False) for acl in acls_of(imported)] == [False, True, False]


def test_acls_that_contradict_each_other_are_not_decided_here() -> None:
    imported = with_acls({"match": "ip"}, {"match": "ip", "action": "allow"})
    assert [column for _, column in losses(imported)] == ["action"]


@pytest.mark.parametrize(
    ("columns", "column", "lost"),
    [
        ({"options": {"apply-after-lb": "true"}}, None, False),
        ({"options": {"log-related": "true"}}, "options:log-related", False),
        ({"meter": ["m"], "log": True}, "meter", False),
    ],
)
def test_options_of_an_acl(columns: dict[str, Any], column: str | None, lost: bool) -> None:
    imported = with_acls({"match": "ip", **columns})
    assert [found.column for found in imported.report.findings] == ([column] if column else [])
    assert bool(imported.report.losses) is lost


def test_a_port_group_has_its_members_and_its_acls() -> None:
    database = Database()
    acl = database.acl("outport == @pg && ip", action="reject")
    ports = [database.port("b"), database.port("a"), database.port("phys", type="vtep")]
    database.switch(*ports)
    database.add("Port_Group", name="pg", ports=references(*ports), acls=references(acl))
    imported = database.translated()
    assert imported.document["port_groups"] == {
        "pg": {
            "ports": ["a", "b"],
            "acls": [
                {
                    "direction": "to-lport",
                    "priority": 100,
                    "match": "outport == @pg && ip",
                    "action": "reject",
                }
            ],
        }
    }
    assert losses(imported) == [("logical switch port phys", "type")]


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        (["10.0.0.7/24", "192.0.2.1"], ["10.0.0.0/24", "192.0.2.1"]),
        (["10.0.0.0/255.255.0.0"], ["10.0.0.0/16"]),
        (["FD00::1/128"], ["fd00::1"]),
        (["0A:00:00:00:00:01"], ["0a:00:00:00:00:01"]),
        (["nonsense", "10.0.0.1", "10.0.0.300", "", "10.0.0.1 10.0.0.2"], ["10.0.0.1"]),
        (["0:1:2:3:4:2", "10.0.0.1"], ["10.0.0.1"]),
        (["10.0.0.0/255.0.255.0"], None),
    ],
)
def test_members_of_address_sets(members: list[str], expected: list[str] | None) -> None:
    database = Database()
    database.add("Address_Set", name="s", addresses=members)
    database.switch(acls=references(database.acl("ip4.src == $s")))
    imported = database.translated()
    if expected is not None:
        assert imported.document["address_sets"] == {"s": {"addresses": expected}}
        assert losses(imported) == []
        return
    assert imported.document["address_sets"] == {}
    assert "acls" not in imported.document["logical_switches"]["sw"]
    assert [column for _, column in losses(imported)][:1] == ["addresses"]


def test_a_set_with_members_too_wide_for_a_field() -> None:
    """OVN then refuses the match, in which Treadle would look at the members that fit."""
    database = Database()
    acls = [database.acl("ip4.src == $s"), database.acl("ip6.src == $s")]
    database.add("Address_Set", name="s", addresses=["10.0.0.1", "fd00::1"])
    database.switch(acls=references(*acls))
    imported = database.translated()
    found = imported.document["logical_switches"]["sw"]["acls"]
    assert [acl["match"] for acl in found] == ["ip6.src == $s"]
    assert imported.document["address_sets"] == {"s": {"addresses": ["10.0.0.1", "fd00::1"]}}
    assert losses(imported) == []
    assert "too wide for ip4.src" in notes(imported)[0].reason


def test_a_set_that_a_port_group_brings_is_not_given_twice() -> None:
    database = Database()
    database.add("Port_Group", name="pg")
    database.add("Address_Set", name="pg_ip4", addresses=["10.0.0.1"])
    assert losses(database.translated()) == [("address set pg_ip4", "name")]


@pytest.mark.parametrize(
    ("columns", "meter"),
    [
        ({"unit": "pktps"}, {"rate": 7, "burst": 9, "fair": False}),
        ({"unit": "pktps", "fair": True}, {"rate": 7, "burst": 9}),
        ({"unit": "kbps"}, None),
    ],
)
def test_meters_come_with_the_acls_that_name_them(
    columns: dict[str, Any], meter: dict[str, Any] | None
) -> None:
    """One that counts kilobits limits no lines, and is left out with a note."""
    database = Database()
    band = database.add("Meter_Band", action="drop", rate=7, burst_size=9)
    database.add("Meter", name="few", bands=references(band), **columns)
    database.add("Meter", name="unused", unit="pktps", bands=references(band))
    rule = database.acl("ip", log=True, meter=["few"])
    database.switch(name="web", acls=references(rule))
    imported = translate(database.snapshot(), "shop")
    assert imported.document["meters"] == ({} if meter is None else {"few": meter})
    (acl,) = imported.document["logical_switches"]["web"]["acls"]
    assert acl.get("meter") == (None if meter is None else "few")
    assert [note.column for note in notes(imported)] == (["meter"] if meter is None else [])
    assert losses(imported) == []
