"""Server and clients over the loopback: what agents get, what is encoded, who may write."""

import asyncio

import pytest

from southbound.rows import (
    GLOBAL_SCOPE,
    Chassis,
    Datapath,
    Encap,
    FdbEntry,
    FlowGroup,
    MacBinding,
    PortBinding,
    SetMember,
)
from southbound.state import RealisedState
from southbound.watch.server import WatchServer
from tests.unit.southbound.agents import Agent, MakeAgent, by_id, until

WEB = Datapath("d1", "ls", "web", 1)
DB = Datapath("d2", "ls", "db", 2)


def vif(name: str, datapath: str = "d1", requested: tuple[str, ...] = ()) -> PortBinding:
    return PortBinding(f"id-{name}", datapath, name, 1, "vif", requested_chassis=requested)


def binding(state: RealisedState, name: str) -> PortBinding:
    return state.rows(PortBinding)[f"id-{name}"]


async def test_an_agent_gets_the_scopes_that_it_subscribed_to(
    state: RealisedState, make_agent: MakeAgent
) -> None:
    await state.write(1, [WEB, DB, vif("web-1"), vif("db-1", "d2")])
    agent = make_agent("hv1", "datapath:d1", "global")
    await agent.synced()
    assert agent.rows == by_id(WEB, vif("web-1"), Chassis("hv1", "host-hv1"))
    assert agent.client.revision == 1


async def test_changes_follow(state: RealisedState, make_agent: MakeAgent) -> None:
    await state.write(1, [WEB, vif("web-1")])
    agent = make_agent("hv1", "datapath:d1")
    await agent.synced()
    await state.write(2, [vif("web-2")], [WEB.row_id, vif("web-1").row_id])
    await until(lambda: agent.batches[-1].revision == 2)
    assert agent.rows == by_id(vif("web-2"))
    assert set(agent.batches[-1].deletes) == {WEB.row_id, vif("web-1").row_id}


async def test_one_change_comes_in_one_batch(state: RealisedState, make_agent: MakeAgent) -> None:
    agent = make_agent("hv1", "datapath:d1", "datapath:d2", "set:$a")
    await agent.synced()
    agent.batches.clear()
    await state.write(1, [WEB, DB, SetMember("$a", "x")])
    await until(lambda: bool(agent.batches))
    assert by_id(*agent.batches[0].puts) == by_id(WEB, DB, SetMember("$a", "x"))


async def test_leaving_a_scope_takes_its_rows_unless_another_holds_them(
    state: RealisedState, make_agent: MakeAgent
) -> None:
    await state.write(1, [WEB, vif("web-1")])
    agent = make_agent("hv1", "datapath:d1", "port:web-1")
    await agent.synced()
    agent.client.unsubscribe(["datapath:d1"])
    await until(lambda: agent.rows == by_id(vif("web-1")))
    await state.write(2, [Datapath("d1", "ls", "renamed", 1), SetMember("$a", "x")])
    agent.client.subscribe(["set:$a"])
    await agent.synced()
    assert agent.rows == by_id(vif("web-1"), SetMember("$a", "x"))


async def test_a_scope_left_and_taken_again_at_once_is_complete(
    state: RealisedState, make_agent: MakeAgent
) -> None:
    await state.write(1, [WEB, vif("web-1")])
    agent = make_agent("hv1", "datapath:d1")
    await agent.synced()
    for revision in range(2, 20):
        await state.write(revision, [vif(f"web-{revision}")])
        agent.client.unsubscribe(["datapath:d1"])
        agent.client.subscribe(["datapath:d1"])
    await agent.synced()
    assert agent.rows == by_id(*state.in_scope("datapath:d1"))


async def test_a_change_is_encoded_once_for_all_agents(
    state: RealisedState, server: WatchServer, make_agent: MakeAgent
) -> None:
    agents = [make_agent(f"hv{n}", "datapath:d1", "port:web-1") for n in range(10)]
    for agent in agents:
        await agent.synced()
    before = server.parts.encoded
    await state.write(1, [vif("web-1")])
    for agent in agents:
        await until(lambda agent=agent: agent.client.revision == 1)
    assert server.parts.encoded - before == 2, "one part for each of the two scopes"


async def test_a_snapshot_is_encoded_once_for_all_who_come(
    state: RealisedState, server: WatchServer, make_agent: MakeAgent
) -> None:
    await state.write(1, [WEB, vif("web-1")])
    for agent in [make_agent(f"hv{n}", "datapath:d1") for n in range(10)]:
        await agent.synced()
    assert server.parts.encoded == 1


async def test_an_agent_that_is_not_concerned_is_sent_nothing(
    state: RealisedState, make_agent: MakeAgent
) -> None:
    agent = make_agent("hv1", "datapath:d2")
    await agent.synced()
    agent.batches.clear()
    await state.write(1, [WEB, vif("web-1")])
    await asyncio.sleep(0.05)
    assert agent.batches == []


async def test_large_snapshots_pass(state: RealisedState, make_agent: MakeAgent) -> None:
    groups = [
        FlowGroup(state.groups.id_of(f"o{n}"), "d1", "k", "i", 1, bytes([n]) * 30_000)
        for n in range(100)
    ]
    await state.write(1, groups)
    agent = make_agent("hv1", "datapath:d1")
    await agent.synced()
    assert agent.rows == by_id(*groups)


# --- claims


async def claiming(make_agent: MakeAgent, name: str, *ports: str, **more: object) -> Agent:
    agent = make_agent(name, "global", "datapath:d1", **more)
    agent.client.claim_only([])
    await agent.synced()
    for port in ports:
        agent.client.claim(port)
    return agent


async def test_a_claimed_port_is_bound_and_up_once_its_chassis_says_so(
    state: RealisedState, make_agent: MakeAgent
) -> None:
    await state.write(1, [vif("web-1")])
    agent = await claiming(make_agent, "hv1", "web-1")
    await until(lambda: binding(state, "web-1").chassis == "hv1")
    assert not binding(state, "web-1").up
    agent.client.set_up("web-1", True)
    await until(lambda: binding(state, "web-1").up)
    agent.client.release("web-1")
    await until(lambda: binding(state, "web-1").chassis == "")
    assert not binding(state, "web-1").up


async def test_a_port_is_bound_when_it_comes_after_its_interface(
    state: RealisedState, make_agent: MakeAgent
) -> None:
    await claiming(make_agent, "hv1", "web-1")
    await asyncio.sleep(0.05)
    await state.write(1, [vif("web-1")])
    assert binding(state, "web-1").chassis == "hv1"


async def test_a_port_follows_its_interface(state: RealisedState, make_agent: MakeAgent) -> None:
    await state.write(1, [vif("web-1")])
    first = await claiming(make_agent, "hv1", "web-1")
    await until(lambda: binding(state, "web-1").chassis == "hv1")
    first.client.set_up("web-1", True)
    await until(lambda: binding(state, "web-1").up)
    second = await claiming(make_agent, "hv2", "web-1")
    await until(lambda: binding(state, "web-1").chassis == "hv2")
    assert not binding(state, "web-1").up
    first.client.release("web-1")
    second.client.set_up("web-1", True)
    await until(lambda: binding(state, "web-1").up)
    assert binding(state, "web-1").chassis == "hv2"


async def test_a_port_that_is_made_again_is_up_again(
    state: RealisedState, make_agent: MakeAgent
) -> None:
    await state.write(1, [vif("web-1")])
    agent = await claiming(make_agent, "hv1", "web-1")
    await until(lambda: binding(state, "web-1").chassis == "hv1")
    agent.client.set_up("web-1", True)
    await until(lambda: binding(state, "web-1").up)
    again = PortBinding("id-again", "d1", "web-1", 9, "vif")
    await state.write(2, [again], [vif("web-1").row_id])
    assert not state.rows(PortBinding)["id-again"].up
    await until(lambda: state.rows(PortBinding)["id-again"].up)


async def test_requested_chassis_decide_by_name_or_host_name(
    state: RealisedState, make_agent: MakeAgent
) -> None:
    await state.write(1, [vif("web-1", requested=("host-hv1",))])
    await claiming(make_agent, "hv1", "web-1")
    await claiming(make_agent, "hv2", "web-1")
    await until(lambda: binding(state, "web-1").chassis == "hv1")
    assert binding(state, "web-1").candidates == ("hv1",)
    await state.write(2, [vif("web-1", requested=("hv2", "hv1"))])
    await until(lambda: binding(state, "web-1").chassis == "hv2")  # whose claim may come late
    await state.write(3, [vif("web-1")])
    assert binding(state, "web-1").candidates is None


async def test_agents_learn_whom_a_host_name_stands_for_when_that_chassis_comes(
    state: RealisedState, make_agent: MakeAgent
) -> None:
    await state.write(1, [vif("web-1", requested=("host-hv2",))])
    first = make_agent("hv1", "port:web-1")
    await first.synced()
    row = first.rows["port_binding", "id-web-1"]
    assert isinstance(row, PortBinding)
    assert row.candidates == ()
    assert list(state.facts.problem_ports()) == [
        ("web-1", "there is no chassis or host named host-hv2")
    ]
    await claiming(make_agent, "hv2", "web-1")

    def told() -> bool:
        row = first.rows["port_binding", "id-web-1"]
        return isinstance(row, PortBinding) and row.candidates == ("hv2",)

    await until(told)
    assert not list(state.facts.problem_ports())


async def test_up_of_a_port_that_is_bound_elsewhere_is_denied(
    state: RealisedState, make_agent: MakeAgent
) -> None:
    await state.write(1, [vif("web-1")])
    await claiming(make_agent, "hv1", "web-1")
    other = await claiming(make_agent, "hv2")
    await until(lambda: binding(state, "web-1").chassis == "hv1")
    other.client.set_up("web-1", True)
    other.client.claim("something-else")
    await asyncio.sleep(0.05)
    assert not binding(state, "web-1").up


async def test_the_translator_does_not_overwrite_facts(
    state: RealisedState, make_agent: MakeAgent
) -> None:
    await state.write(1, [vif("web-1")])
    await claiming(make_agent, "hv1", "web-1")
    await until(lambda: binding(state, "web-1").chassis == "hv1")
    await state.write(2, [PortBinding("id-web-1", "d1", "web-1", 7, "vif")])
    assert binding(state, "web-1").tunnel_key == 7
    assert binding(state, "web-1").chassis == "hv1"


async def test_a_dead_chassis_is_shown_and_loses_a_port_that_appears_elsewhere(
    state: RealisedState, server: WatchServer, make_agent: MakeAgent
) -> None:
    await state.write(1, [vif("web-1"), vif("web-2")])
    first = await claiming(make_agent, "hv1", "web-1", "web-2")
    await until(lambda: binding(state, "web-2").chassis == "hv1")
    await first.stop()
    await until(lambda: not server.status("hv1").connected)
    assert state.rows(Chassis)["hv1"].alive, "the lease still runs"
    await until(lambda: not state.rows(Chassis)["hv1"].alive)
    assert binding(state, "web-1").chassis == "hv1"
    await claiming(make_agent, "hv2", "web-1")
    await until(lambda: binding(state, "web-1").chassis == "hv2")
    first.start()
    first.client.claim_only(["web-1", "web-2"])
    await until(lambda: state.rows(Chassis)["hv1"].alive)
    await asyncio.sleep(0.05)
    assert binding(state, "web-1").chassis == "hv2"
    assert binding(state, "web-2").chassis == "hv1"


async def test_removing_a_chassis_frees_its_ports(
    state: RealisedState, server: WatchServer, make_agent: MakeAgent
) -> None:
    await state.write(1, [vif("web-1")])
    agent = await claiming(make_agent, "hv1", "web-1")
    await until(lambda: binding(state, "web-1").chassis == "hv1")
    await agent.stop()
    await until(lambda: not server.status("hv1").connected)
    server.remove_chassis("hv1")
    assert "hv1" not in state.rows(Chassis)
    assert binding(state, "web-1").chassis == ""


# --- learned addresses


async def test_learned_addresses_reach_the_others_and_go_with_their_port(
    state: RealisedState, make_agent: MakeAgent
) -> None:
    router_port = PortBinding("id-r", "d1", "r-web", 1, "patch", neighbours=("10.0.0.0/24",))
    await state.write(1, [router_port, vif("web-1"), vif("web-2")])
    one = await claiming(make_agent, "hv1", "web-1")
    two = await claiming(make_agent, "hv2", "web-2")
    await until(lambda: bool(binding(state, "web-2").chassis and binding(state, "web-1").chassis))
    one.client.learned_mac("r-web", "10.0.0.9", "0a:00:00:00:00:09")
    one.client.learned_fdb("web-1", "0a:00:00:00:00:07")
    await until(lambda: {"mac_binding", "fdb"} < {table for table, _ in two.rows})
    two.client.learned_mac("r-web", "10.0.0.9", "0a:00:00:00:00:0a")
    await until(
        lambda: any(isinstance(r, MacBinding) and r.mac[-2:] == "0a" for r in one.rows.values())
    )
    await state.write(2, [], [router_port.row_id, vif("web-1").row_id])
    assert not state.rows(MacBinding)
    assert not state.rows(FdbEntry)


@pytest.mark.parametrize(
    ("port", "ip", "mac"),
    [
        ("absent", "10.0.0.9", "0a:00:00:00:00:09"),
        ("r-elsewhere", "10.0.0.9", "0a:00:00:00:00:09"),
        ("web-1", "10.0.0.9", "0a:00:00:00:00:09"),
        ("r-web", "10.0.0.999", "0a:00:00:00:00:09"),
        ("r-web", "2001:DB8::1", "0a:00:00:00:00:09"),
        ("r-web", "10.0.0.9", "0A:00:00:00:00:09"),
        ("r-web", "10.0.0.9", "mac"),
        ("r-web", "10.0.0.9", "01:00:5e:00:00:09"),
        ("r-web", "10.0.0.9", "00:00:00:00:00:00"),
        ("r-web", "10.0.0.1", "0a:00:00:00:00:09"),
        ("r-web", "10.0.0.255", "0a:00:00:00:00:09"),
        ("r-web", "8.8.8.8", "0a:00:00:00:00:09"),
    ],
)
async def test_learning_what_is_not_its_own_or_no_address_is_denied(
    state: RealisedState, make_agent: MakeAgent, port: str, ip: str, mac: str
) -> None:
    router_ports = [
        PortBinding(
            *(id_, datapath, name, key, "patch"),
            addresses=("0a:00:00:00:00:fe 10.0.0.1",),
            neighbours=("10.0.0.0/24", "2001:db8::/64"),
        )
        for id_, datapath, name, key in (
            ("id-r1", "d1", "r-web", 8),
            ("id-r2", "d2", "r-elsewhere", 9),
        )
    ]
    await state.write(1, [vif("web-1"), *router_ports])
    agent = await claiming(make_agent, "hv1", "web-1")
    agent.client.learned_mac(port, ip, mac)
    agent.client.learned_fdb("web-1", "0a:00:00:00:00:01")
    await until(lambda: len(state.rows(FdbEntry)) == 1)
    assert not state.rows(MacBinding)
    assert agent.client.connected


# --- who may connect


async def test_a_token_is_good_for_its_own_chassis_only(
    server: WatchServer, make_agent: MakeAgent
) -> None:
    agent = make_agent("hv1", "global", token="token-of-hv2")
    await until(lambda: "not valid for chassis" in agent.client.last_error)
    assert not agent.client.connected
    assert server.sessions.get("hv1") is None


async def test_a_second_live_agent_of_the_same_name_is_refused(
    server: WatchServer, make_agent: MakeAgent
) -> None:
    first = make_agent("hv1", "global")
    await first.synced()
    second = make_agent("hv1", "global")
    await until(lambda: "same system-id" in second.client.last_error)
    assert first.client.connected
    assert not second.client.connected
    await first.stop()
    await second.synced()


async def test_facts_survive_a_restart_of_the_server(
    state: RealisedState, server: WatchServer, make_agent: MakeAgent
) -> None:
    await state.write(1, [vif("web-1")])
    agent = await claiming(make_agent, "hv1", "web-1")
    await until(lambda: binding(state, "web-1").chassis == "hv1")
    agent.client.set_up("web-1", True)
    agent.client.learned_fdb("web-1", "0a:00:00:00:00:07")
    await until(lambda: binding(state, "web-1").up and bool(state.rows(FdbEntry)))
    await state.close()
    restarted = RealisedState(state._store)
    await restarted.load()
    assert binding(restarted, "web-1") == binding(state, "web-1")
    assert restarted.rows(FdbEntry) == state.rows(FdbEntry)
    assert restarted.rows(Chassis) == state.rows(Chassis)
    assert restarted.revision == 1
    await restarted.close()


async def test_a_chassis_that_takes_another_name_is_gone_at_once(
    state: RealisedState, server: WatchServer, make_agent: MakeAgent
) -> None:
    await state.write(1, [vif("web-1")])
    agent = await claiming(make_agent, "hv1", "web-1")
    await until(lambda: binding(state, "web-1").chassis == "hv1")
    await agent.client.leave()
    assert "hv1" not in state.rows(Chassis)
    assert not binding(state, "web-1").chassis
    assert not server.status("hv1").is_known
    await claiming(make_agent, "renamed", "web-1")
    await until(lambda: binding(state, "web-1").chassis == "renamed")
    assert not agent.client.connected


async def test_a_chassis_can_leave_while_the_server_is_away(
    state: RealisedState, server: WatchServer, make_agent: MakeAgent
) -> None:
    agent = await claiming(make_agent, "hv1", "web-1")
    await until(lambda: server.status("hv1").connected)
    await server.stop()
    await until(lambda: not agent.client.connected)
    await agent.client.leave()
    assert state.rows(Chassis)["hv1"].alive, "until its lease is over"


async def test_tunnels_of_an_unknown_type_are_left_out_and_told(
    server: WatchServer, state: RealisedState, make_agent: MakeAgent
) -> None:
    """A newer agent may have such beside those that are known."""
    agent = make_agent("hv9", GLOBAL_SCOPE)
    encaps = (Encap("teleport", "anywhere"), Encap("geneve", "192.0.2.9"))
    agent.client.set_chassis(Chassis("hv9", "host-hv9", encaps))
    await until(lambda: "hv9" in state.rows(Chassis) and bool(state.rows(Chassis)["hv9"].encaps))
    assert state.rows(Chassis)["hv9"].encaps == (Encap("geneve", "192.0.2.9"),)
    session = server.sessions.get("hv9")
    assert session is not None
    assert session.skipped.counts == {"tunnels of type teleport": 1}
