"""What a host says about itself, once and when it changed."""

from collections.abc import Mapping

from chassis_agent.bridge.tunnels import PORT_NAME
from chassis_agent.inputs import (
    LocalPort,
    OutsidePatch,
    ProviderBridge,
    SwitchPort,
    ThisChassis,
    Zone,
    dnat_zone,
    route_zone,
    snat_zone,
)
from chassis_agent.local.bindings import Bindings
from chassis_agent.local.facts import LocalFacts
from chassis_agent.local.port_names import PortNames
from chassis_agent.local.provider import PORT_ID, ProviderBridges, provider_bridges
from chassis_agent.local.zones import ZoneAllocator
from chassis_agent.ovsdb.rows import OWNER
from chassis_agent.ovsdb.view import Bridge, Interface, SwitchView
from southbound.rows import PortBinding

ROWS = {
    name: PortBinding(f"id-{name}", "ls", name, number, "vif")
    for number, name in enumerate(("a", "b"), 1)
}


def bridge(**ports: int) -> Bridge:
    interfaces = {
        f"tap-{port}": Interface(f"tap-{port}", ofport=ofport, external_ids={"iface-id": port})
        for port, ofport in ports.items()
    }
    interfaces[PORT_NAME] = Interface(PORT_NAME, "geneve", 9)
    return Bridge("br-int", interfaces=interfaces)


NOWHERE = ProviderBridges()


class Host:
    """Local facts with a network around them."""

    def __init__(self, zones: Mapping[str, int] | None = None) -> None:
        self.local = LocalFacts("hv1", ZoneAllocator(zones or {}))
        self.ports = PortNames()
        self.ports.change(ROWS.values(), ())
        self.routers: list[str] = []

    def update(
        self,
        bridge: Bridge,
        provider: ProviderBridges = NOWHERE,
        *,
        all_rows_known: bool = True,
    ) -> dict[tuple[str, str], object]:
        def routers(_bindings: Bindings) -> list[str]:
            return self.routers

        self.change = self.local.update(
            bridge, provider, self.ports, routers, all_rows_known=all_rows_known
        )
        return {(table.__name__, key): row for table, key, row in self.change.facts}


def test_a_plugged_port_is_said_once() -> None:
    host = Host()
    assert host.update(bridge(a=5)) == {
        ("ThisChassis", ""): ThisChassis("hv1", 9, "br-int"),
        ("LocalPort", "a"): LocalPort(5),
        ("SwitchPort", "a"): SwitchPort("br-int", "tap-a", frozenset()),
        ("Zone", "a"): Zone(1),
    }
    assert host.change.plugged == {"a"}
    assert host.change.zones.external_ids == {"ct-zone-a": "1"}
    assert host.update(bridge(a=5)) == {}
    assert not host.change.plugged
    assert not host.change.zones


def test_what_changed_is_said_alone() -> None:
    host = Host()
    host.update(bridge(a=5, b=6))
    assert host.update(bridge(a=7, b=6)) == {("LocalPort", "a"): LocalPort(7)}
    assert host.update(bridge(b=6)) == {
        ("LocalPort", "a"): None,
        ("SwitchPort", "a"): None,
        ("Zone", "a"): None,
    }
    assert host.change.unplugged == {"a"}
    assert host.change.zones.external_ids == {"ct-zone-a": None}


def test_a_plugged_port_without_a_row_waits() -> None:
    host = Host()
    host.ports.change((), [ROWS["a"].row_id])
    assert ("LocalPort", "a") not in host.update(bridge(a=5))
    assert host.change.plugged == {"a"}
    host.ports.change(ROWS.values(), ())
    assert host.update(bridge(a=5)) == {
        ("LocalPort", "a"): LocalPort(5),
        ("SwitchPort", "a"): SwitchPort("br-int", "tap-a", frozenset()),
        ("Zone", "a"): Zone(1),
    }


def test_zones_are_kept_until_all_rows_are_known() -> None:
    host = Host({"a": 7, "gone": 8})
    host.ports.change((), [row.row_id for row in ROWS.values()])
    host.update(bridge(a=5), all_rows_known=False)
    assert host.local.zones == {"a": 7, "gone": 8}
    host.ports.change(ROWS.values(), ())
    host.update(bridge(a=5))
    assert host.local.zones == {"a": 7}


def test_routers_have_two_zones() -> None:
    host = Host()
    host.routers = ["r1"]
    host.update(bridge())
    assert set(host.local.zones) == {dnat_zone("r1"), snat_zone("r1")}


def test_gateway_routers_have_a_third_zone() -> None:
    host = Host()
    host.routers = ["r1"]
    ports = [PortBinding(f"id-{n}", "r1", f"r1-{n}", n, "l3gateway") for n in (1, 2)]
    host.ports.change(ports, ())
    host.update(bridge())
    assert set(host.local.zones) == {dnat_zone("r1"), snat_zone("r1"), route_zone("r1")}
    host.ports.change((), [port.row_id for port in ports])
    host.update(bridge())
    assert set(host.local.zones) == {dnat_zone("r1"), snat_zone("r1")}


def test_bridges_to_provider_networks_and_ports_that_lead_there() -> None:
    host = Host()
    ids = {PORT_ID: "out"}
    patch = Interface("patch-br-int-to-out", "patch", 12, external_ids=ids)
    # What other programs call so is no way out, nor is one that has no peer yet.
    other = Interface("eth9", "", 13, external_ids={PORT_ID: "other"})
    unfinished = Interface("patch-br-int-to-new", "patch", None, external_ids={PORT_ID: "new"})
    interfaces = {each.name: each for each in (patch, other, unfinished)}
    facts = host.update(Bridge("br-int", interfaces=interfaces), ProviderBridges({"dc": "br-dc"}))
    assert facts == {
        ("ThisChassis", ""): ThisChassis("hv1", 0, "br-int"),
        ("ProviderBridge", "dc"): ProviderBridge("br-dc"),
        ("LocalPort", "out"): LocalPort(12),
    }
    # It is no plug: nothing is claimed.
    assert not host.change.plugged
    assert host.update(Bridge("br-int")) == {
        ("ProviderBridge", "dc"): None,
        ("LocalPort", "out"): None,
    }


def test_the_agents_own_patch_ports_are_where_they_stand() -> None:
    own = {OWNER: "br-int"}
    inside = Interface("patch-br-int-to-out", "patch", 12, external_ids={**own, PORT_ID: "out"})
    outside = Interface("patch-out-to-br-int", "patch", 2, external_ids=own)
    foreign = Interface("patch-of-others", "patch", 3)
    bridges = {
        name: Bridge(name, interfaces={each.name: each for each in interfaces})
        for name, interfaces in (("br-int", (inside,)), ("br-dc", (outside, foreign)))
    }
    provider = provider_bridges(SwitchView({}, bridges))
    assert provider.patches == {"patch-out-to-br-int": "br-dc"}
    facts = Host().update(bridges["br-int"], provider)
    assert facts["OutsidePatch", "patch-out-to-br-int"] == OutsidePatch("br-dc")


def test_without_a_tunnel_port_there_is_none() -> None:
    assert Host().update(Bridge("br-int"))["ThisChassis", ""] == ThisChassis("hv1", 0, "br-int")


def test_what_is_nested_in_a_port_is_where_that_is() -> None:
    """Also before the server says so, with a tag and a zone of its own."""
    host = Host()
    inner = PortBinding("id-c", "other", "c", 7, "nested", parent="id-a", parent_name="a", tag=100)
    host.ports.change([inner], ())
    facts = host.update(bridge(a=5))
    assert facts["LocalPort", "c"] == LocalPort(5, 100)
    assert facts["Zone", "c"] != facts["Zone", "a"]
    assert host.update(bridge())["LocalPort", "c"] is None
    host.update(bridge(a=6))
    host.ports.change((), [inner.row_id])
    assert host.update(bridge(a=6)) == {
        ("LocalPort", "c"): None,
        ("SwitchPort", "c"): None,
        ("Zone", "c"): None,
    }
