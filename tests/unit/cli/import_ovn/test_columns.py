"""Nothing that a northbound database says is dropped silently."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli.import_ovn.columns import TABLES
from tests.unit.cli.import_ovn.rows import Database, losses, notes, references

SCHEMA = Path("/usr/share/ovn/ovn-nb.ovsschema")


def test_every_column_of_the_installed_schema_is_known() -> None:
    schema = json.loads(SCHEMA.read_text())["tables"]
    assert set(schema) <= set(TABLES)
    for table, treatment in TABLES.items():
        if isinstance(treatment, dict):
            assert set(schema[table]["columns"]) <= set(treatment), table


@pytest.mark.parametrize(
    ("table", "columns", "column"),
    [
        ("NB_Global", {"ipsec": True}, "ipsec"),
        ("NB_Global", {"options": {"always_tunnel": "true"}}, "options:always_tunnel"),
        ("NB_Global", {"options": {"default_acl_drop": "true"}}, "options:default_acl_drop"),
        ("Logical_Switch", {"qos_rules": references("x")}, "qos_rules"),
        ("Logical_Switch", {"forwarding_groups": references("x")}, "forwarding_groups"),
        ("Logical_Switch", {"other_config": {"mcast_snoop": "true"}}, "other_config:mcast_snoop"),
        ("Logical_Switch_Port", {"options": {"qos_max_rate": "1000"}}, "options:qos_max_rate"),
        ("Logical_Switch_Port", {"options": {"qos_min_rate": "1000"}}, "options:qos_min_rate"),
        ("Logical_Switch", {"of_the_future": 1}, "of_the_future"),
        ("Logical_Switch", {"other_config": {"of-the-future": "1"}}, "other_config:of-the-future"),
        ("Of_The_Future", {"name": "x"}, ""),
    ],
)
def test_what_changes_verdicts_is_lost(table: str, columns: dict[str, Any], column: str) -> None:
    database = Database()
    row = {"name": "x", "mac": "0a:00:00:00:00:01", "networks": ["10.0.0.1/24"]}
    named = {key: value for key, value in row.items() if key in (TABLES.get(table) or ())}
    database.add(table, **named | columns)
    assert [found for _, found in losses(database.translated())] == [column]


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("Logical_Switch", {"copp": references("x")}),
        ("Logical_Switch", {"other_config": {"broadcast-arps-to-all-routers": "false"}}),
        ("Logical_Switch_Port", {"options": {"mcast_flood_reports": "true"}}),
        ("Logical_Switch_Port", {"options": {"mcast_flood": "true"}}),
        ("Logical_Switch_Port", {"options": {"arp_proxy": "10.0.0.9"}}),
        ("Logical_Switch_Port", {"options": {"qos_burst": "1000"}}),
        ("Logical_Router_Port", {"options": {"mcast_flood": "true"}}),
    ],
)
def test_what_changes_no_verdict_is_noted(table: str, columns: dict[str, Any]) -> None:
    database = Database()
    database.add(table, **{"name": "x"} | columns)
    imported = database.translated()
    assert len(notes(imported)) == 1
    assert losses(imported) == []


def test_flags_count_where_they_are_looked_at() -> None:
    database = Database()
    port = database.port("p", options={"mcast_flood_reports": "true", "mcast_flood": "FALSE"})
    database.switch(port, other_config={"mcast_snoop": "True"})
    assert losses(database.translated()) == [
        ("logical switch sw", "other_config:mcast_snoop"),
        ("logical switch port p", "options:mcast_flood_reports"),
    ]


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("NB_Global", {"nb_cfg": 7, "options": {"mac_prefix": "0a:00:00", "max_tunid": "9"}}),
        ("NB_Global", {"options": {"ignore_lsp_down": "true"}, "ipsec": False}),
        ("NB_Global", {"options": {"always_tunnel": "false"}}),
        ("Logical_Switch", {"name": "x", "qos_rules": ["set", []], "other_config": {}}),
        ("Logical_Router", {"name": "x", "options": {"mcast_relay": "false"}}),
        ("Logical_Router", {"name": "x", "options": {"mcast_relay": "nonsense"}}),
        ("NB_Global", {"options": {"use_ct_inv_match": "TRUE"}}),
        ("Logical_Switch_Port", {"name": "x", "options": {"qos_max_rate": "0"}}),
        ("Connection", {"target": "ptcp:6641"}),
    ],
)
def test_what_says_nothing_is_not_listed(table: str, columns: dict[str, Any]) -> None:
    database = Database()
    database.add(table, **columns)
    assert database.translated().report.findings == []
