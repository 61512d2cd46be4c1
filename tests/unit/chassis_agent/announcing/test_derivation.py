"""Which addresses a chassis announces."""

from typing import Any

from chassis_agent.derivations.announcements import Announced
from chassis_agent.desired.flow_state import FlowState
from chassis_agent.inputs import Change, LocalPort, ProviderBridge, ThisChassis
from southbound.rows import Announcement, Chassis, Datapath, Encap, PortBinding

MAC = "0a:00:00:00:00:01"


def elected(first: str) -> Change:
    row = PortBinding(
        "cr", "r", "cr-out", 2, "chassisredirect", candidates=(first,), distributed_port="out"
    )
    return PortBinding, "cr-out", row


class Host:
    """The chassis `gw1`, with a switch that leads outside."""

    def __init__(self, *, bridge: bool = True) -> None:
        self.state = FlowState(lambda _: 1)
        changes: list[Change] = [
            (ThisChassis, "", ThisChassis("gw1", 9, "br-int")),
            (Datapath, "s", Datapath("s", "ls", "s", 5)),
            (Datapath, "r", Datapath("r", "lr", "r", 6)),
            (Chassis, "gw2", Chassis("gw2", encaps=(Encap("geneve", "192.0.2.2"),))),
            (
                PortBinding,
                "s-out",
                PortBinding("o", "s", "s-out", 3, "localnet", network="physnet"),
            ),
        ]
        if bridge:
            changes += [
                (ProviderBridge, "physnet", ProviderBridge("br-physnet")),
                (LocalPort, "s-out", LocalPort(12)),
            ]
        self.apply(*changes)

    def apply(self, *changes: Change) -> list[Announced | None]:
        self.state.apply(changes)
        return list(self.state.news.take_announcement_changes().values())


def row(**fields: Any) -> Change:
    return Announcement, "x", Announcement("x", "s", "cr-out", MAC, **fields)


TOLD = Announced(5, (3,), ((bytes.fromhex("0a0000000001"), bytes([192, 0, 2, 1])),), True)


def test_a_gateway_is_announced_where_it_is_in_charge() -> None:
    host = Host()
    assert host.apply(elected("gw2"), row(addresses=("192.0.2.1",))) == []
    assert host.apply(elected("gw1")) == [TOLD]
    assert host.apply(elected("gw2")) == [None]
    assert host.apply(elected("gw1")) == [TOLD]
    assert host.state.self_check() == []


def test_without_a_bridge_to_the_network_nothing_is_announced() -> None:
    host = Host(bridge=False)
    assert host.apply(elected("gw1"), row(addresses=("192.0.2.1",))) == []
    assert host.apply((LocalPort, "s-out", LocalPort(12))) == [TOLD]


def test_a_row_without_addresses_has_nothing_to_announce() -> None:
    assert Host().apply(elected("gw1"), row(addresses=())) == []


def vif(**fields: Any) -> Change:
    row: dict[str, Any] = {
        "datapath": "s",
        "type": "vif",
        "addresses": (f"{MAC} 192.0.2.9 2001:db8::9", "0a:00:00:00:00:02", "unknown"),
    }
    return PortBinding, "vm", PortBinding(id="v", name="vm", tunnel_key=7, **(row | fields))


def test_workloads_are_announced_that_are_here() -> None:
    host = Host()
    assert host.apply(vif(chassis="gw2")) == []
    (told,) = host.apply((LocalPort, "vm", LocalPort(4)))
    assert told is not None
    assert [(mac[-1], len(ip)) for mac, ip in told.addresses] == [(1, 4), (1, 16), (2, 0)]
    assert not told.is_router
    assert host.apply((LocalPort, "vm", None)) == [None]


def test_workloads_that_have_not_come_yet_are_not() -> None:
    host = Host()
    assert host.apply(vif(), (LocalPort, "vm", LocalPort(4, blocked=True))) == []
    assert len(host.apply((LocalPort, "vm", LocalPort(4)))) == 1


def test_what_stays_on_its_chassis_or_has_no_address_is_not() -> None:
    plugged: Change = (LocalPort, "vm", LocalPort(4))
    assert Host().apply(vif(type="localport"), plugged) == []
    assert Host().apply(vif(addresses=("unknown",)), plugged) == []
    assert Host().apply(vif(enabled=False), plugged) == []
    assert Host().apply(vif(datapath="elsewhere"), plugged) == []
