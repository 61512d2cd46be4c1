"""DHCP options of OVN, as integrations write them."""

from typing import Any

import pytest

from tests.unit.cli.import_ovn.rows import Database, losses, notes, references

OF_NEUTRON = {
    "server_id": "10.0.0.1",
    "server_mac": "fa:16:3e:00:00:01",
    "lease_time": "43200",
    "router": "10.0.0.1",
    "mtu": "1442",
    "dns_server": "{10.0.0.2, 10.0.0.3}",
    "domain_name": '"openstacklocal"',
    "domain_search_list": '"a.example,b.example"',
    "classless_static_route": "{169.254.169.254/32,10.0.0.2, 0.0.0.0/0,10.0.0.1}",
    "bootfile_name": '"undionly.kpxe"',
    "bootfile_name_alt": '"grubx64.efi"',
    "T1": "100",
    "ip_forward_enable": "1",
    "tftp_server": '"boot.example"',
}


def imported(of_dhcp: dict[str, str], **port: Any) -> Any:
    database = Database()
    uuid = database.add("DHCP_Options", cidr="10.0.0.0/24", options=of_dhcp)
    database.switch(
        database.port("p", "0a:00:00:00:00:01 10.0.0.5", dhcpv4_options=references(uuid), **port)
    )
    return database.translated()


def test_options_of_neutron() -> None:
    found = imported(OF_NEUTRON, options={"hostname": "vm-1"})
    assert found.report.findings == []
    ((name, options),) = found.document["dhcp_options"].items()
    assert options["dhcpv4"] == {
        "server_id": "10.0.0.1",
        "server_mac": "fa:16:3e:00:00:01",
        "lease_time": 43200,
        "routers": ["10.0.0.1"],
        "mtu": 1442,
        "dns_servers": ["10.0.0.2", "10.0.0.3"],
        "domain_name": "openstacklocal",
        "domain_search": ["a.example", "b.example"],
        "classless_static_routes": [
            {"destination": "169.254.169.254/32", "nexthop": "10.0.0.2"},
            {"destination": "0.0.0.0/0", "nexthop": "10.0.0.1"},
        ],
        "bootfile_name": "grubx64.efi",
        "bootfile_name_ipxe": "undionly.kpxe",
        "renewal_time": 100,
        "ip_forwarding": True,
        "tftp_server": "boot.example",
    }
    port = found.document["logical_switches"]["sw"]["ports"]["p"]
    assert (port["dhcpv4_options"], port["hostname"]) == (name, "vm-1")


def test_options_by_which_nobody_is_answered() -> None:
    found = imported({"server_id": "10.0.0.1"}, options={"hostname": "vm-1"})
    assert losses(found) == []
    assert len(notes(found)) == 2
    assert found.document["dhcp_options"] == {}
    assert "dhcpv4_options" not in found.document["logical_switches"]["sw"]["ports"]["p"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("mtu", "20"), ("dns_server", "{ns.example}"), ("router_discovery", "2"), ("unheard", "1")],
)
def test_what_cannot_be_kept_is_lost_alone(name: str, value: str) -> None:
    found = imported(OF_NEUTRON | {name: value})
    assert [column for _, column in losses(found)] == [f"options:{name}"]
    assert len(found.document["dhcp_options"]) == 1


def test_without_a_server_all_is_lost() -> None:
    found = imported(OF_NEUTRON | {"server_mac": "nobody"})
    assert [column for _, column in losses(found)] == ["options:server_mac", "dhcpv4_options"]
    assert found.document["dhcp_options"] == {}


def of_dhcpv6(options: dict[str, str]) -> Any:
    database = Database()
    uuid = database.add("DHCP_Options", cidr="fd00::/64", options=options)
    database.switch(
        database.port("p", "0a:00:00:00:00:01 fd00::5", dhcpv6_options=references(uuid))
    )
    return database.translated()


def test_options_of_dhcpv6() -> None:
    found = of_dhcpv6(
        {
            "server_id": "fa:16:3e:00:00:01",
            "dns_server": "{fd00::2, fd00::3}",
            "domain_search": '"a.example"',
            "dhcpv6_stateless": "true",
        }
    )
    assert found.report.findings == []
    ((name, options),) = found.document["dhcp_options"].items()
    assert options["dhcpv6"] == {
        "server_mac": "fa:16:3e:00:00:01",
        "dns_servers": ["fd00::2", "fd00::3"],
        "domain_search": ["a.example"],
        "stateless": True,
    }
    assert found.document["logical_switches"]["sw"]["ports"]["p"]["dhcpv6_options"] == name


def test_options_of_dhcpv6_without_a_server() -> None:
    found = of_dhcpv6({"dns_server": "fd00::2"})
    assert losses(found) == []
    assert len(notes(found)) == 1


def test_a_network_that_is_none() -> None:
    database = Database()
    database.add("DHCP_Options", cidr="nowhere", options=OF_NEUTRON)
    assert [column for _, column in losses(database.translated())] == ["cidr"]
