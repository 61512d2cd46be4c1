"""Load balancers, from rows to the document."""

from typing import Any

import pytest

from tests.unit.cli.import_ovn.rows import Database, losses, notes, references


def test_load_balancers_with_their_addresses_and_switches() -> None:
    database = Database()
    vips = {
        "10.96.0.1:80": "10.0.0.1:8080,10.0.0.2:8080",
        "[fd96::1]:80": "[fd00::1]:8080",
        "10.96.0.2": "10.0.0.3",
        "10.96.0.3:80": "",
    }
    balancer = database.add(
        "Load_Balancer",
        name="shop",
        vips=vips,
        protocol="udp",
        options={"reject": "true", "neighbor_responder": "all"},
    )
    grouped = database.add("Load_Balancer", name="grouped", vips={"10.96.0.9:1": "10.0.0.1:1"})
    group = database.add("Load_Balancer_Group", name="all", load_balancer=references(grouped))
    database.switch(load_balancer=references(balancer), load_balancer_group=references(group))
    database.router(load_balancer=references(balancer), load_balancer_group=references(group))
    imported = database.translated()
    assert losses(imported) == notes(imported) == []
    assert imported.document["load_balancers"] == {
        "shop": {
            "protocol": "udp",
            "reject": True,
            "switches": ["sw"],
            "routers": ["r"],
            "neighbor_responder": "all",
            "vips": [
                {
                    "address": "10.96.0.1",
                    "port": 80,
                    "backends": ["10.0.0.1:8080", "10.0.0.2:8080"],
                },
                {"address": "10.96.0.2", "backends": ["10.0.0.3"]},
                {"address": "10.96.0.3", "port": 80},
                {"address": "fd96::1", "port": 80, "backends": ["[fd00::1]:8080"]},
            ],
        },
        "grouped": {
            "vips": [{"address": "10.96.0.9", "port": 1, "backends": ["10.0.0.1:1"]}],
        },
    }
    assert imported.document["load_balancer_groups"] == {
        "all": {"load_balancers": ["grouped"], "switches": ["sw"], "routers": ["r"]}
    }


def test_what_can_not_be_read_and_what_is_lost() -> None:
    database = Database()
    balancer = database.add(
        "Load_Balancer",
        name="shop",
        vips={
            "web:80": "10.0.0.1:80",
            "^NODE:80": "10.0.0.1:80",
            "10.96.0.1:80": "[fd00::1]:80",
        },
    )
    database.switch(load_balancer=references(balancer))
    imported = database.translated()
    assert len(notes(imported)) == 2
    assert losses(imported) == [("load balancer shop", "vips")]
    assert "vips" not in imported.document["load_balancers"]["shop"]


@pytest.mark.parametrize(("said", "lost"), [("true", ["options:distributed"]), ("false", [])])
def test_hypervisors_that_balance_over_backends_of_their_own(said: str, lost: list[str]) -> None:
    database = Database()
    balancer = database.add("Load_Balancer", name="shop", options={"distributed": said})
    database.router(load_balancer=references(balancer))
    found = losses(database.translated())
    assert found == [("load balancer shop", column) for column in lost]


def test_templates_and_the_variables_of_chassis() -> None:
    """As ovn-kubernetes writes them for services that every node offers at its own address."""
    database = Database()
    database.add(
        "Chassis_Template_Var",
        chassis="hv1",
        variables={"NODEIP_IPv4_0": "192.0.2.1", "WEB": "10.0.0.1:80,10.0.0.2:80", "a b": "x"},
    )
    check = database.add("Load_Balancer_Health_Check", vip="^NODEIP_IPv4_0:30080")
    four = database.add(
        "Load_Balancer",
        name="four",
        protocol="tcp",
        vips={
            "^NODEIP_IPv4_0:30080": "^WEB",
            "^NODEIP_IPv4_0:^PORT": "^WEB1:^PORT1,10.0.0.9:80",
            "^NODEIP IPv4:80": "^WEB",
        },
        options={"template": "true", "reject": "true"},
        health_check=references(check),
    )
    six = database.add(
        "Load_Balancer",
        name="six",
        vips={"^NODEIP_IPv6_0:30080": "[fd00::1]:80"},
        options={
            "template": "true",
            "address-family": "ipv6",
            "affinity_timeout": "60",
            "neighbor_responder": "all",
        },
    )
    database.switch(load_balancer=references(four, six))
    imported = database.translated()
    assert [each for each in losses(imported) if each[0].startswith("load balancer")] == []
    assert [column for _, column in losses(imported)].count("variables:a b") == 1
    assert sorted((each.object, each.column) for each in notes(imported)) == [
        ("load balancer four", "health_check"),
        ("load balancer four", "vips"),
    ]
    assert imported.document["chassis_template_vars"] == [
        {
            "chassis": "hv1",
            "variables": {"NODEIP_IPv4_0": "192.0.2.1", "WEB": "10.0.0.1:80,10.0.0.2:80"},
        }
    ]
    balancers = imported.document["load_balancers"]
    assert balancers["four"] == {
        "reject": True,
        "template": True,
        "address_family": "ipv4",
        "neighbor_responder": "none",
        "switches": ["sw"],
        "vips": [
            {"address": "^NODEIP_IPv4_0", "port": 30080, "backends": ["^WEB"]},
            {
                "address": "^NODEIP_IPv4_0",
                "port_variable": "^PORT",
                "backends": ["^WEB1:^PORT1", "10.0.0.9:80"],
            },
        ],
    }
    assert balancers["six"]["address_family"] == "ipv6"
    assert balancers["six"]["neighbor_responder"] == "all"
    assert balancers["six"]["affinity_timeout"] == 60
    assert balancers["six"]["vips"] == [
        {"address": "^NODEIP_IPv6_0", "port": 30080, "backends": ["[fd00::1]:80"]}
    ]


def test_how_backends_are_chosen() -> None:
    database = Database()
    chosen = database.add(
        "Load_Balancer",
        name="chosen",
        vips={"10.96.0.1:80": "10.0.0.1:80"},
        selection_fields=["tp_src", "ip_src", "ipv6_src", "ip_proto"],
        options={"hairpin_snat_ip": "169.254.1.1 fd69::1"},
    )
    held = database.add(
        "Load_Balancer",
        name="held",
        vips={"10.96.0.2:80": "10.0.0.1:80"},
        selection_fields=["ip_src", "ip_dst"],
        options={"affinity_timeout": "70000"},
    )
    database.switch(load_balancer=references(chosen, held))
    imported = database.translated()
    assert losses(imported) == []
    assert [(each.object, each.column) for each in notes(imported)] == [
        ("load balancer held", "selection_fields")
    ]
    balancers = imported.document["load_balancers"]
    assert balancers["chosen"]["selection_fields"] == ["ip_proto", "ip_src", "tp_src"]
    assert balancers["chosen"]["hairpin_snat_ips"] == ["169.254.1.1", "fd69::1"]
    assert balancers["held"]["affinity_timeout"] == 65535
    assert "selection_fields" not in balancers["held"]


@pytest.mark.parametrize(
    ("said", "fields"),
    [
        ("router_ip", {"lb_force_snat_router_ip": True}),
        ("10.0.0.1 fd00::1", {"lb_force_snat_ips": ["10.0.0.1", "fd00::1"]}),
    ],
)
def test_what_backends_see_of_clients(said: str, fields: dict[str, Any]) -> None:
    database = Database()
    balancer = database.add("Load_Balancer", name="shop", options={"skip_snat": "true"})
    database.router(
        options={"chassis": "hv1", "lb_force_snat_ip": said}, load_balancer=references(balancer)
    )
    database.router(name="everywhere", options={"lb_force_snat_ip": said})
    imported = database.translated()
    assert losses(imported) == notes(imported) == []
    assert imported.document["load_balancers"]["shop"] == {"routers": ["r"], "skip_snat": True}
    routers = imported.document["logical_routers"]
    assert routers["r"] == {"chassis": "hv1", **fields}
    assert routers["everywhere"] == {}


def test_sources_that_are_no_addresses_are_lost() -> None:
    database = Database()
    database.router(options={"chassis": "hv1", "lb_force_snat_ip": "10.0.0.1 web"})
    imported = database.translated()
    assert losses(imported) == [("logical router r", "options:lb_force_snat_ip")]


def test_health_checks() -> None:
    database = Database()
    options = {"interval": "7", "failure_count": "x"}
    check = database.add(
        "Load_Balancer_Health_Check", vip="10.96.0.1:80", options=options, external_ids={}
    )
    balancer = database.add(
        "Load_Balancer",
        name="shop",
        vips={"10.96.0.1:80": "10.0.0.1:80", "[fd96::1]:80": "[fd00::1]:80"},
        health_check=references(check),
        ip_port_mappings={
            "10.0.0.1": "vm:1:10.0.0.254",
            "[fd00::1]": "vm:1:[fd00::fe]",
            "10.0.0.2": "gone:10.0.0.254",
        },
    )
    port = database.port("vm:1", "0a:00:00:00:00:01 10.0.0.1 fd00::1")
    database.switch(port, load_balancer=references(balancer))
    imported = database.translated()
    assert losses(imported) == [("load balancer shop", "ip_port_mappings")]
    shop = imported.document["load_balancers"]["shop"]
    assert shop["vips"][0]["health_check"] == {"interval": 7, "timeout": 20, "success_count": 3}
    assert "health_check" not in shop["vips"][1]
    assert shop["backends"] == [
        {"address": "10.0.0.1", "logical_port": "vm:1", "source_ip": "10.0.0.254"},
        {"address": "fd00::1", "logical_port": "vm:1", "source_ip": "fd00::fe"},
    ]
