"""Which groups ports are in."""

import pytest

from api.neutron.errors import NeutronError
from api.neutron.security.groups import SecurityGroupNotFoundError, new_group
from api.neutron.security.membership import (
    PROTECTED,
    PROTECTION,
    default_group,
    groups_of,
    set_groups,
    set_protected,
)
from northbound.database import Database
from northbound.models import LogicalSwitch, LogicalSwitchPort, PortGroup
from northbound.services import ACLS, LOGICAL_SWITCH_PORTS, LOGICAL_SWITCHES, PORT_GROUPS
from northbound.transaction import Transaction
from tests.unit.api.neutron.conftest import Neutron

UNKNOWN = "0b4b5f0e-52c1-4d1f-9d1f-0f4f3f6b7a11"


def port(tx: Transaction, name: str = "vm", project: str = "acme") -> LogicalSwitchPort:
    switch = tx.named(LogicalSwitch, "lan", project)
    if switch is None:
        switch = LOGICAL_SWITCHES.create(tx, {"name": "lan", "project": project})
    return LOGICAL_SWITCH_PORTS.create(tx, {"name": name, "logical_switch": switch.id})


def test_a_port_is_in_the_groups_that_are_set(database: Database) -> None:
    with database.write(author="test") as tx:
        vm = port(tx)
        default = default_group(tx, "acme")
        assert default_group(tx, "acme") == default
        set_groups(tx, vm, [default])
        other = new_group(tx, "acme", "web")
        set_groups(tx, vm, [other, default])
        assert groups_of(tx, [vm.id]) == {vm.id: sorted([default, other])}
        set_groups(tx, vm, [other.upper()])
        assert groups_of(tx, [vm.id]) == {vm.id: [other]}
        set_groups(tx, vm, [])
        assert groups_of(tx, [vm.id]) == {}


def test_groups_of_v1_are_left_alone(database: Database) -> None:
    with database.write(author="test") as tx:
        vm = port(tx)
        group = PORT_GROUPS.create(tx, {"name": "web", "project": "acme", "ports": [vm.id]})
        set_groups(tx, vm, [])
        assert groups_of(tx, [vm.id]) == {}
        assert PORT_GROUPS.view(tx, group)["ports"] == ["vm"]
        with pytest.raises(SecurityGroupNotFoundError):
            set_groups(tx, vm, [group.id])


def test_groups_that_a_port_cannot_be_in(database: Database) -> None:
    with database.write(author="test") as tx:
        vm = port(tx)
        with pytest.raises(SecurityGroupNotFoundError, match=UNKNOWN):
            set_groups(tx, vm, [UNKNOWN])
        with pytest.raises(SecurityGroupNotFoundError):
            set_groups(tx, vm, [default_group(tx, "zoo")])
        stateless = new_group(tx, "acme", "fast", stateful=False)
        with pytest.raises(NeutronError, match="both stateful and stateless") as refused:
            set_groups(tx, vm, [stateless, default_group(tx, "acme")])
        assert (refused.value.status, refused.value.type) == (409, "SecurityGroupConflict")
        set_groups(tx, vm, [stateless])


def test_protected_ports_are_in_one_group_of_their_project(database: Database) -> None:
    with database.write(author="test") as tx:
        first, second, other = port(tx), port(tx, "second"), port(tx, "third", "zoo")
        for each in (first, second, other, first):
            set_protected(tx, each, True)
        group = tx.named(PortGroup, PROTECTED, "acme")
        assert group is not None
        assert PORT_GROUPS.view(tx, group)["ports"] == ["second", "vm"]
        tx.flush()
        acls = ACLS.page(tx, {"port_group": group.id}).items
        assert {(a.name, a.direction, a.priority, a.match, a.action) for a in acls} == set(
            PROTECTION
        )
        assert {a.tier for a in acls} == {2}
        set_protected(tx, first, False)
        assert PORT_GROUPS.view(tx, group)["ports"] == ["second"]


def test_what_is_not_protected_makes_no_group(database: Database) -> None:
    with database.write(author="test") as tx:
        set_protected(tx, port(tx), False)
        assert tx.named(PortGroup, PROTECTED, "acme") is None


async def test_protection_that_v1_deleted_comes_back_for_all(neutron: Neutron) -> None:
    network = (await neutron.make("networks"))["id"]
    made = [
        await neutron.make("ports", network_id=network, **values)
        for values in ({}, {"port_security_enabled": False}, {"device_owner": "network:dhcp"})
    ]
    path = f"/v1/port-groups/{PROTECTED}"
    assert (await neutron.v1.get(path)).json()["ports"] == [made[0]["id"]]
    assert (await neutron.v1.delete(path)).status_code == 204
    later = await neutron.make("ports", network_id=network)
    assert (await neutron.v1.get(path)).json()["ports"] == sorted([made[0]["id"], later["id"]])


async def test_ports_of_other_projects_are_in_groups_of_their_own(neutron: Neutron) -> None:
    network = (await neutron.make("networks", shared=True))["id"]
    hers = await neutron.make("ports", caller="alice", network_id=network)
    for_her = await neutron.make("ports", network_id=network, project_id="acme")
    [default] = await neutron.get("security-groups", caller="alice")
    for port in (hers, for_her):
        assert port["security_groups"] == [default["id"]]
    group = (await neutron.v1.get(f"/v1/port-groups/{PROTECTED}?project=acme")).json()
    assert set(group["ports"]) == {hers["id"], for_her["id"]}
