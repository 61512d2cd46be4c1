"""What Neutron and ovn-kubernetes write on every site is imported, with what is expected of it.

Databases made by a real ovn-nbctl, as `sites` describes them.
"""

import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from benchmarks.ovn import Ovn
from cli.import_ovn.database import read_snapshot
from cli.import_ovn.translation import Imported, translate
from northbound.apply import apply
from northbound.database import Database, open_database
from tests.databases import new_database
from tests.unit.cli.import_ovn.rows import losses, notes
from tests.unit.cli.import_ovn.sites import (
    CLUSTER,
    GATEWAY,
    METADATA,
    NETWORK,
    NODE,
    PORT1,
    PORT2,
    PROVIDER,
    SUBPORT,
    VIRTUAL,
    kubernetes,
    neutron,
)


@pytest.fixture
def ovn(tmp_path: Path) -> Iterator[Ovn]:
    ovn = Ovn(tmp_path)
    try:
        ovn.start_databases()
        yield ovn
    finally:
        ovn.stop()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(new_database(tmp_path / "treadle.db"))
    yield database
    database.close()


def imported(ovn: Ovn, database: Database, commands: Iterable[str]) -> Imported:
    """What is imported of a database; a server takes all of it."""
    ovn.load(shlex.split(command) for command in commands)
    found = translate(read_snapshot(ovn.northbound), "ovn")
    with database.write(author="test") as tx:
        apply(tx, found.document)
    return found


def test_nothing_of_a_site_of_openstack_is_lost(ovn: Ovn, database: Database) -> None:
    found = imported(ovn, database, neutron())
    assert losses(found) == []
    assert {note.column for note in notes(found)} == {
        "options:mcast_flood_reports",
        "options:nat-addresses",
    }
    switches = found.document["logical_switches"]
    ports, outside = switches[NETWORK]["ports"], switches[PROVIDER]["ports"]
    assert outside["provnet-c1a7e5b0"]["tag"] == 100
    assert ports[METADATA]["type"] == "localport"
    assert (ports[SUBPORT]["parent"], ports[SUBPORT]["tag"]) == (PORT1, 101)
    assert ports[VIRTUAL]["virtual_parents"] == [PORT1, PORT2]
    assert {"dhcpv4_options", "dhcpv6_options", "port_security"} <= ports[PORT1].keys()
    router = found.document["logical_routers"]["neutron-41aa"]
    assert [each["chassis"] for each in router["ports"]["lrp-out"]["gateway_chassis"]] == [
        "gw-1",
        "gw-2",
    ]
    assert router["ports"]["lrp-in"]["gateway_mtu"] == 1500
    assert router["ports"]["lrp-in"]["ipv6_ra"]["address_mode"] == "dhcpv6_stateless"
    floating = [(nat["external_ip"], nat.get("logical_port")) for nat in router["nats"]]
    assert sorted(floating, key=str) == [
        ("172.24.4.10", None),
        ("172.24.4.21", PORT1),
        ("172.24.4.22", None),
    ]
    (names,) = found.document["dns_record_sets"].values()
    assert {record["hostname"] for record in names["records"]} >= {"vm1", "vm1.openstack.example"}
    balancers = found.document["load_balancers"]
    assert balancers["0c7a-tcp"]["routers"] == ["neutron-41aa"]
    assert balancers["pf-floatingip-9b2e-tcp"]["vips"] == [
        {"address": "172.24.4.30", "port": 2222, "backends": ["10.0.0.11:22"]}
    ]
    (meter,) = found.document["meters"].values()
    assert meter["rate"] == 100


def test_a_rate_limit_of_a_site_of_openstack_is_lost(ovn: Ovn, database: Database) -> None:
    limit = f"set logical_switch_port {PORT1} options:qos_max_rate=1000000 options:qos_burst=9"
    found = imported(ovn, database, [*neutron(), limit])
    assert losses(found) == [
        (f"logical switch port {PORT1}", "options:qos_burst"),
        (f"logical switch port {PORT1}", "options:qos_max_rate"),
    ]


def test_what_a_cluster_of_kubernetes_has_is_imported(ovn: Ovn, database: Database) -> None:
    """Names with slashes, and a match with a comment, too."""
    found = imported(ovn, database, kubernetes())
    assert losses(found) == []
    routers = found.document["logical_routers"]
    assert routers[GATEWAY]["chassis"] == "1f1c-chassis"
    assert len(routers[GATEWAY]["nats"]) == 2
    assert routers[GATEWAY]["ports"][f"rtoe-{GATEWAY}"]["static_mac_bindings"] == [
        {"ip": "169.254.169.4", "mac": "0a:58:a9:fe:a9:04", "override_dynamic_mac": True}
    ]
    policies = {each["priority"]: each for each in routers[CLUSTER]["policies"]}
    assert policies[1004]["nexthops"] == ["10.244.0.2"]
    assert policies[100]["nexthops"] == ["100.64.0.2", "100.64.0.3"]
    assert policies[100]["pkt_mark"] == 1008
    balancers = {
        values["external_ids"]["ovn:name"]: values
        for values in found.document["load_balancers"].values()
    }
    by_node = balancers["Service_shop/web_TCP_node_switch_template"]
    assert (by_node["template"], by_node["vips"][0]["address"]) == (True, "^NODEIP_IPv4_0")
    (variables,) = found.document["chassis_template_vars"]
    assert variables["chassis"] == "1f1c-chassis"
    web = balancers["Service_shop/web_TCP_cluster"]
    assert (web["affinity_timeout"], web["reject"]) == (10800, True)
    assert web["vips"][0]["backends"] == ["10.244.0.5:8080", "10.244.0.6:8080"]
    (group,) = found.document["load_balancer_groups"].values()
    assert (group["switches"], group["routers"]) == ([NODE], [GATEWAY])
    grouped = [found.document["load_balancers"][each] for each in group["load_balancers"]]
    assert web in grouped
