"""Northbound databases in the shapes in which integrations leave them, by a real ovn-nbctl.

What they write wherever it might count, in spellings of their own, with rules that OVN never
reads: all of that is imported as it works in OVN, and what is lost is only what works there.
"""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.ovn import Ovn
from cli.import_ovn.database import read_snapshot
from cli.import_ovn.translation import Imported, translate
from tests.unit.cli.import_ovn.rows import losses, notes


@pytest.fixture
def ovn(tmp_path: Path) -> Iterator[Ovn]:
    ovn = Ovn(tmp_path)
    try:
        ovn.start_databases()
        yield ovn
    finally:
        ovn.stop()


def imported(ovn: Ovn, *commands: str) -> Imported:
    ovn.load(shlex.split(command) for command in commands)
    return translate(read_snapshot(ovn.northbound), "ovn")


def acl(owner: str, name: str, **columns: str) -> str:
    """The command that adds an ACL past the checks of ovn-nbctl."""
    values = " ".join(shlex.quote(f"{column}={value}") for column, value in columns.items())
    return f"--id=@{name} create acl {values} -- add {owner} acls @{name}"


def cloud() -> list[str]:
    """A tenant's network with names of UUIDs, security groups, and flags for every case."""
    commands = ["ls-add net-6f0c", "set logical_switch net-6f0c other_config:mcast_snoop=false"]
    commands.append("set logical_switch net-6f0c other_config:vlan-passthru=false")
    for number in (1, 2):
        port, address = f"7d51000{number}-3333", f"fa:16:3e:10:00:0{number} 172.16.5.2{number}"
        commands += [
            f"lsp-add net-6f0c {port}",
            f"lsp-set-addresses {port} '{address} fd55::2{number}'",
            f"lsp-set-port-security {port} '{address} fd55::2{number}'",
            (
                f"lsp-set-options {port} requested-chassis=node-{number}.cloud.example "
                "mcast_flood_reports=true mcast_flood=false"
            ),
        ]
    commands += [
        "pg-add pg_drop 7d510001-3333 7d510002-3333",
        "pg-add pg_0a11 7d510001-3333 7d510002-3333",
        "acl-add pg_drop to-lport 1001 'outport == @pg_drop && ip' drop",
        "acl-add pg_drop from-lport 1001 'inport == @pg_drop && ip' drop",
        "acl-add pg_0a11 from-lport 1002 'inport == @pg_0a11 && ip4' allow-related",
        (
            "acl-add pg_0a11 to-lport 1002 "
            "'outport == @pg_0a11 && ip4 && ip4.src == $pg_0a11_ip4' allow-related"
        ),
        (
            "acl-add pg_0a11 to-lport 1002 "
            "'outport == @pg_0a11 && ip4.src == 0.0.0.0/0 && tcp && tcp.dst == 22' allow-related"
        ),
        "lr-add router-41aa",
        (
            "set logical_router router-41aa options:always_learn_from_arp_request=false "
            "options:dynamic_neigh_routers=true"
        ),
        "lrp-add router-41aa lrp-90ce fa:16:3e:10:00:fe 172.16.5.1/24 fd55::1/64",
        "lsp-add net-6f0c 90ce",
        "lsp-set-type 90ce router",
        "lsp-set-addresses 90ce router",
        "lsp-set-options 90ce router-port=lrp-90ce",
    ]
    return commands


def test_a_cloud(ovn: Ovn) -> None:
    found = imported(ovn, *cloud())
    assert losses(found) == []
    assert {note.column for note in notes(found)} == {
        "options:mcast_flood_reports",
    }
    ports = found.document["logical_switches"]["net-6f0c"]["ports"]
    assert sorted(ports) == ["7d510001-3333", "7d510002-3333", "90ce"]
    assert ports["7d510001-3333"]["requested_chassis"] == ["node-1.cloud.example"]
    assert len(found.document["port_groups"]["pg_0a11"]["acls"]) == 3


def test_a_clouds_rate_limit_and_snooping_are_lost(ovn: Ovn) -> None:
    found = imported(
        ovn,
        *cloud(),
        "set logical_switch_port 7d510001-3333 options:qos_max_rate=1000000 options:qos_burst=9",
        "set logical_switch net-6f0c other_config:mcast_snoop=true",
    )
    assert losses(found) == [
        ("logical switch net-6f0c", "other_config:mcast_snoop"),
        ("logical switch port 7d510001-3333", "options:mcast_flood_reports"),
        ("logical switch port 7d510001-3333", "options:qos_burst"),
        ("logical switch port 7d510001-3333", "options:qos_max_rate"),
        ("logical switch port 7d510002-3333", "options:mcast_flood_reports"),
    ]


def test_a_container_network(ovn: Ovn) -> None:
    """Short MAC addresses, policies by source towards the router itself, rules that never work."""
    rules: dict[str, dict[str, str]] = {
        "never": {"direction": "from-lport", "match": '"outport == @sg.a && udp.dst == 67"'},
        "nil": {"direction": "from-lport", "match": '"inport == @sg.a && ip6.dst == <nil>"'},
        "empty": {"direction": "to-lport", "match": '"outport == @sg.a && ip4.src == $none.v4"'},
        "gone": {"direction": "to-lport", "match": '"outport == @sg.a && ip4.src == $gone.v4"'},
        "masked": {"direction": "to-lport", "match": '"ip4.dst == {10.66.9.81/24} && ip"'},
        "some": {"direction": "to-lport", "match": '"outport == @sg.a && ip4.src == $some.v4"'},
        "again": {"direction": "to-lport", "match": '"outport == @sg.a && ip4.src == $some.v4"'},
    }
    found = imported(
        ovn,
        "ls-add pods",
        "set logical_switch pods other_config:subnet=10.66.0.0/24 "
        "'other_config:exclude_ips=\"10.66.0.1 10.66.0.9..10.66.0.12\"'",
        "lsp-add pods a.default",
        "lsp-set-addresses a.default '0:0:0:B:4:2 10.66.0.4'",
        "lsp-add pods b.default",
        "set logical_switch_port b.default 'addresses=\"de:ad:be:ef:0:7 10.66.0.5/24\",unknown' "
        "'port_security=\"de:ad:be:ef:0:7 10.66.0.5/24\"'",
        "lr-add all",
        "lrp-add all all-pods 0:0:0:A:0:1 10.66.0.1/24",
        "lsp-add pods pods-all",
        "lsp-set-type pods-all router",
        "lsp-set-addresses pods-all router",
        "lsp-set-options pods-all router-port=all-pods",
        "lr-route-add all 0.0.0.0/0 10.66.0.254",
        "--policy=src-ip lr-route-add all 10.66.0.0/24 10.66.0.1",
        "pg-add sg.a a.default",
        "create address_set name=none.v4",
        "create address_set name=some.v4",
        *(
            f"add address_set some.v4 addresses '\"{member}\"'"
            for member in ("10.66.0.4", "10.66.0.4/32", "10.67.0.12/24", "nonsense")
        ),
        *(
            acl("port_group sg.a", name, priority="2000", action="allow-related", **columns)
            for name, columns in rules.items()
        ),
    )
    assert losses(found) == []
    assert found.document["logical_routers"]["all"] == {
        "ports": {"all-pods": {"mac": "00:00:00:0a:00:01", "networks": ["10.66.0.1/24"]}},
        "static_routes": [
            {"ip_prefix": "0.0.0.0/0", "nexthop": "10.66.0.254"},
            {"ip_prefix": "10.66.0.0/24", "nexthop": "discard", "policy": "src-ip"},
        ],
    }
    ports: dict[str, Any] = found.document["logical_switches"]["pods"]["ports"]
    assert ports["a.default"] == {"addresses": ["00:00:00:0b:04:02 10.66.0.4"]}
    assert ports["b.default"] == {
        "addresses": ["de:ad:be:ef:00:07 10.66.0.5", "unknown"],
        "port_security": ["de:ad:be:ef:00:07 10.66.0.5/24"],
    }
    assert ports["pods-all"] == {
        "type": "router",
        "router_port": "all-pods",
        "addresses": ["router"],
    }
    assert found.document["address_sets"]["some.v4"] == {"addresses": ["10.66.0.4", "10.67.0.0/24"]}
    assert [acl["match"] for acl in found.document["port_groups"]["sg.a"]["acls"]] == [
        "ip4.dst == {10.66.9.81/24} && ip",
        "outport == @sg.a && ip4.src == $none.v4",
        "outport == @sg.a && ip4.src == $some.v4",
    ]


def test_a_bad_row_takes_nothing_along(ovn: Ovn) -> None:
    """A router's address that is its network's own, on one of its ports of two."""
    found = imported(
        ovn,
        "lr-add r",
        "lrp-add r r-good 00:00:00:00:00:11 10.1.0.1/24",
        "lrp-add r r-bad 00:00:00:00:00:12 10.2.0.0/24 10.3.0.1/24",
        "ls-add s",
        "lsp-add s s-r",
        "lsp-set-type s-r router",
        "lsp-set-addresses s-r router",
        "lsp-set-options s-r router-port=r-bad",
        "lr-route-add r 0.0.0.0/0 10.3.0.9",
    )
    assert losses(found) == [("logical router port r-bad", "networks")]
    assert found.document["logical_switches"]["s"]["ports"]["s-r"]["router_port"] == "r-bad"
    assert found.document["logical_routers"]["r"]["ports"]["r-bad"]["networks"] == ["10.3.0.1/24"]
    assert len(found.document["logical_routers"]["r"]["static_routes"]) == 1
