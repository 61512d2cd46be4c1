"""What the server keeps of what agents say of their tunnels."""

from southbound import wire
from southbound.rows import PortBinding
from southbound.state import RealisedState
from southbound.tunnels import TunnelFault, TunnelReport, report_of
from southbound.watch.server import WatchServer
from tests.unit.southbound.agents import MakeAgent, until


def lost(chassis: str, address: str = "192.0.2.2", other: str = "") -> wire.UnreachableChassis:
    return wire.UnreachableChassis(chassis, "no-answer", address, other, 10.0)


def test_only_mtus_that_packets_have_are_kept() -> None:
    told = tuple(
        wire.NarrowTunnel(name, mtu)
        for name, mtu in (("hv2", 1342), ("hv3", -1), ("hv4", 2**40), ("gone", 1400))
    )
    report = report_of(wire.Tunnels((), (), told), lambda name: name != "gone", 1000.0)
    assert report.mtus == {"hv2": 1342}
    for largest, kept in ((1500, 1500), (-1, 0), (2**40, 0)):
        message = wire.Tunnels((), (), told, largest)
        assert report_of(message, {"hv2"}.__contains__, 1000.0).largest == kept


def test_only_chassis_that_there_are_and_addresses_are_kept() -> None:
    message = wire.Tunnels(
        (lost("hv2"), lost("x" * 100), lost("hv3", "<b>", "nobody")), ("hv4", "y" * 100)
    )
    report = report_of(message, {"hv2", "hv3", "hv4"}.__contains__, 1000.0)
    assert report == TunnelReport(
        {
            "hv2": TunnelFault("hv2", "no-answer", "192.0.2.2", "", 990.0),
            "hv3": TunnelFault("hv3", "no-answer", "", "", 990.0),
        },
        frozenset({"hv4"}),
    )


def test_times_are_never_in_the_future_nor_before_the_epoch() -> None:
    for age in (-5.0, 1e300, float("nan")):
        message = wire.Tunnels((_aged(age),), ())
        (fault,) = report_of(message, {"hv2"}.__contains__, 1000.0).unreachable.values()
        assert 0.0 <= fault.since <= 1000.0


def _aged(age: float) -> wire.UnreachableChassis:
    return wire.UnreachableChassis("hv2", "no-answer", "192.0.2.2", "", age)


def test_faults_in_words() -> None:
    fault = TunnelFault("hv2", "no-answer", "192.0.2.2", "", 0)
    assert fault.sentence("hv1") == "hv1 gets no answer from hv2's tunnel address 192.0.2.2"
    other = fault._replace(reason="other-chassis", other="hv3")
    assert other.sentence("hv1") == (
        "hv2's tunnel address 192.0.2.2 is answered by hv3 when hv1 probes it"
    )
    assert fault._replace(reason="no-common-family").sentence("hv1") == (
        "hv1 and hv2 have no tunnel addresses of one family"
    )


async def test_an_agent_tells_and_tells_again_when_it_reconnects(
    server: WatchServer, make_agent: MakeAgent
) -> None:
    agent = make_agent("hv1", "global")
    make_agent("hv2", "global")
    await until(lambda: server.status("hv1").connected and server.status("hv2").connected)
    assert server.status("hv1").tunnels is None
    agent.client.tell(lambda: wire.Tunnels((lost("hv2"),), ()))

    def told() -> bool:
        report = server.status("hv1").tunnels
        return report is not None and report.unreachable.keys() == {"hv2"}

    await until(told)
    session = server.sessions.get("hv1")
    assert agent.client._socket is not None
    agent.client._socket.transport.abort()
    await until(lambda: server.sessions.get("hv1") is not session and told())


async def test_scopes_are_unapplied_until_they_are_acknowledged(
    state: RealisedState, server: WatchServer, make_agent: MakeAgent
) -> None:
    agent = make_agent("hv1", "datapath:d1", "datapath:d2")
    await agent.synced()
    await until(lambda: not server.status("hv1").unapplied)
    agent.acknowledging = False
    await state.write(1, [PortBinding("id-a", "d1", "a", 1, "vif")])
    await until(lambda: ("port_binding", "id-a") in agent.rows)
    assert set(server.status("hv1").unapplied) == {"datapath:d1"}
    agent.acknowledging = True
    await state.write(2, [PortBinding("id-b", "d2", "b", 2, "vif")])
    await until(lambda: not server.status("hv1").unapplied)
    assert server.status("hv1").applied_revision == 2
