"""DNS records and router advertisements of OVN, as integrations write them."""

from typing import Any

import pytest

from tests.unit.cli.import_ovn.rows import Database, losses, notes, references


def test_records_of_neutron() -> None:
    database = Database()
    records = {
        "VM1": "10.0.0.5 fd00::5",
        "vm1.example.org": "10.0.0.5 fd00::5",
        "5.0.0.10.in-addr.arpa": "vm1.example.org",
    }
    dns = database.add(
        "DNS",
        records=records,
        options={"ovn-owned": "true"},
        external_ids={"ls_name": "neutron-net"},
    )
    for name in ("one", "two"):
        database.switch(name=name, dns_records=references(dns))
    database.switch(name="three")
    found = database.translated()
    assert found.report.findings == []
    assert found.document["dns_record_sets"] == {
        dns: {
            "switches": ["one", "two"],
            "owned": True,
            "ttl": 3600,
            "external_ids": {"ls_name": "neutron-net"},
            "records": [
                {"hostname": "5.0.0.10.in-addr.arpa", "pointer": "vm1.example.org"},
                {"hostname": "vm1", "addresses": ["10.0.0.5", "fd00::5"]},
                {"hostname": "vm1.example.org", "addresses": ["10.0.0.5", "fd00::5"]},
            ],
        }
    }


@pytest.mark.parametrize(
    ("records", "lost"),
    [
        ({"bad name": "10.0.0.5"}, "records:bad name"),
        ({"a.example": "10.0.0.500"}, "records:a.example"),
        ({"a.example": ""}, "records:a.example"),
        ({"A.example": "10.0.0.5", "a.example": "10.0.0.6"}, "records:a.example"),
    ],
)
def test_what_is_no_record_is_lost_alone(records: dict[str, str], lost: str) -> None:
    database = Database()
    database.add("DNS", records={**records, "good.example": "10.0.0.7"})
    found = database.translated()
    assert [column for _, column in losses(found)] == [lost]
    (values,) = found.document["dns_record_sets"].values()
    assert "good.example" in [record["hostname"] for record in values["records"]]


def router_port(told: dict[str, str], *networks: str) -> Any:
    database = Database()
    port = database.router_port("p", *(networks or ("fd00::1/64",)), ipv6_ra_configs=told)
    database.router(port)
    found = database.translated()
    return found, found.document["logical_routers"]["r"]["ports"]["p"].get("ipv6_ra")


def test_advertisements_of_neutron() -> None:
    told = {
        "address_mode": "slaac",
        "send_periodic": "true",
        "mtu": "1442",
        "router_preference": "HIGH",
        "rdnss": "fd00::53",
        "dnssl": "a.example, b.example",
        "route_info": "HIGH-fd01::/48,LOW-fd02::/96",
    }
    found, values = router_port(told)
    assert found.report.findings == []
    assert values == {
        "address_mode": "slaac",
        "router_preference": "high",
        "mtu": 1442,
        "lifetime": 65535,
        "send_periodic": True,
        "min_interval": 200,
        "rdnss": ["fd00::53"],
        "dnssl": ["a.example", "b.example"],
        "routes": [
            {"prefix": "fd01::/48", "preference": "high"},
            {"prefix": "fd02::/96", "preference": "low"},
        ],
    }


@pytest.mark.parametrize(
    ("told", "intervals"),
    [
        ({}, (600, 200)),
        ({"max_interval": "9999", "min_interval": "9999"}, (1800, 1350)),
        ({"max_interval": "1"}, (4, 3)),
        ({"max_interval": "x", "min_interval": "x"}, (600, 200)),
    ],
)
def test_intervals_are_bounded_as_in_ovn(told: dict[str, str], intervals: tuple[int, int]) -> None:
    _, values = router_port({"address_mode": "slaac", "send_periodic": "true", **told})
    assert (values.get("max_interval", 600), values["min_interval"]) == intervals


def test_what_means_nothing_is_noted_and_what_cannot_be_kept_is_lost() -> None:
    found, values = router_port({"send_periodic": "true"})
    assert values is None
    assert [note.column for note in notes(found)] == ["ipv6_ra_configs"]
    found, values = router_port({"address_mode": "odd"})
    assert values is None
    assert [note.column for note in notes(found)] == ["ipv6_ra_configs:address_mode"]
    found, values = router_port({"address_mode": "slaac"}, "10.0.0.1/24")
    assert values is None
    assert [column for _, column in losses(found)] == ["ipv6_ra_configs"]
    found, values = router_port({"address_mode": "slaac", "new_key": "1"})
    assert [column for _, column in losses(found)] == ["ipv6_ra_configs:new_key"]
