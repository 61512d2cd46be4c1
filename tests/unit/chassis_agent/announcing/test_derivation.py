"""Which addresses a chassis announces."""

from typing import Any

from chassis_agent.derivations.announcements import Announced
from chassis_agent.desired.flow_state import FlowState
from chassis_agent.gateways.sessions import SessionState, TunnelSession
from chassis_agent.inputs import Change, LocalPort, ProviderBridge, ThisChassis
from southbound.rows import Announcement, Chassis, Datapath, Encap, PortBinding

MAC = "0a:00:00:00:00:01"


def elected(*candidates: str) -> Change:
    row = PortBinding(
        "cr", "r", "cr-out", 2, "chassisredirect", candidates=candidates, distributed_port="out"
    )
    return PortBinding, "cr-out", row


def session(state: SessionState, returns: int = 0) -> Change:
    """That with the other gateway."""
    return TunnelSession, "gw2", TunnelSession(8, state, returns)


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


def test_who_stays_in_charge_tells_so_when_another_is_seen_again() -> None:
    """It may have taken this one for dead meanwhile, and said that it is in charge."""
    host = Host()
    host.apply(session("up"), row(addresses=("192.0.2.1",)))
    assert host.apply(elected("gw1", "gw2")) == [TOLD]
    assert host.apply(session("down")) == []
    assert host.apply(session("up", 1)) == [TOLD._replace(returns=1)]
    assert host.apply(elected("gw1")) == [TOLD], "there is no other any more"
    assert host.apply(session("down", 1), session("up", 2)) == []
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


def way(*candidates: str) -> Change:
    """The way outside of a switch in the overlay, which is on one chassis."""
    row = PortBinding("w", "t", "t-out", 9, "l2gateway", network="physnet", candidates=candidates)
    return PortBinding, "t-out", row


def test_who_leads_outside_announces_workloads_of_all_chassis() -> None:
    host = Host()
    host.apply((Datapath, "t", Datapath("t", "ls", "t", 7)), session("up"))
    elsewhere = {"datapath": "t", "chassis": "hv3", "addresses": (f"{MAC} 192.0.2.9",)}
    assert host.apply(vif(**elsewhere), way("gw2", "gw1")) == []
    assert host.apply((LocalPort, "t-out", LocalPort(13))) == []
    told = Announced(7, (9,), ((bytes.fromhex("0a0000000001"), bytes([192, 0, 2, 9])),), False)
    assert host.apply(session("down")) == [told]
    assert host.apply(vif(**elsewhere | {"chassis": "hv4"})) == [], "it is behind the same way"
    assert host.apply(vif(**elsewhere | {"chassis": ""})) == [None]
    assert host.apply(vif(**elsewhere)) == [told]
    assert host.apply((LocalPort, "vm", LocalPort(4))) == [], "nor here"
    assert host.apply(session("up", 1)) == [None]
    assert host.apply(way("gw1", "gw2")) == [told._replace(returns=1)]
    assert host.apply((LocalPort, "t-out", None)) == [None]
    assert host.state.self_check() == []
