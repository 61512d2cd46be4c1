"""The patch ports that join ports which lead outside to bridges of the host."""

from chassis_agent.desired.flow_state import FlowState
from chassis_agent.inputs import OutsidePatch, ProviderBridge, ThisChassis
from chassis_agent.ovsdb.rows import WantedRow
from southbound.rows import Datapath, PortBinding


class Host:
    """A host with a switch that leads to `physnet`."""

    def __init__(self) -> None:
        self.state = FlowState(lambda _: 1)
        out = PortBinding("o", "s", "s-out", 3, "localnet", network="physnet")
        self.state.apply(
            [
                (ThisChassis, "", ThisChassis("hv1", 9, "br-int")),
                (Datapath, "s", Datapath("s", "ls", "s", 5)),
                (PortBinding, "s-out", out),
            ]
        )

    def mapped_to(self, bridge: str, *, standing_on: str = "") -> dict[str, WantedRow] | None:
        """The ports that are wanted once `bridge` leads to the network, by the bridges they are on;
        None where that is as before. `standing_on` is the bridge that has the one outside now.
        """
        facts = (
            (ProviderBridge, "physnet", ProviderBridge(bridge) if bridge else None),
            (OutsidePatch, OUTSIDE, OutsidePatch(standing_on) if standing_on else None),
        )
        self.state.apply(facts)
        changes = self.state.take_row_changes()
        if not changes:
            return None
        wanted = [row for rows in changes.values() for row in rows]
        assert {row.table for row in wanted} <= {"Port", "Interface"}
        return {row.parent.row.name: row for row in wanted if row.parent is not None}


OUTSIDE = "patch-s-out-to-br-int"


def test_a_network_that_another_bridge_leads_to_is_joined_once_the_first_is_left() -> None:
    """Open vSwitch doesn't notice that a patch port is on another bridge, all at once."""
    host = Host()
    before = host.mapped_to("br-a")
    assert before is not None
    assert before.keys() == {"br-int", "br-a"}
    assert before["br-a"].name == OUTSIDE
    assert host.mapped_to("br-a", standing_on="br-a") is None, "nothing changes"
    assert host.mapped_to("br-b", standing_on="br-a") == {}, "they go"
    after = host.mapped_to("br-b")
    assert after is not None
    assert after.keys() == {"br-int", "br-b"}
    assert host.mapped_to("", standing_on="br-b") == {}, "they go"
    assert host.state.self_check() == []


def test_patch_ports_are_peers_of_each_other() -> None:
    host = Host()
    host.state.apply([(ProviderBridge, "physnet", ProviderBridge("br-a"))])
    (rows,) = host.state.take_row_changes().values()
    peers = {row.name: dict(dict(row.maps)["options"])["peer"] for row in rows if row.maps}
    assert len(peers) == 2
    assert {str(peers[str(peer)]) for peer in peers.values()} == peers.keys()
