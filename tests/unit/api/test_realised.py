"""What the API tells of realised state: flows, bindings, chassis, status, revisions."""

from typing import Any

import httpx
import pytest

from southbound.chassis_status import ChassisStatus
from southbound.errors import NoAnswerInTimeError
from southbound.questions import CountHits, GroupHits, HitsCounted, Question, Result
from southbound.rows import Chassis, Encap, FlowGroup
from southbound.tunnels import TunnelFault, TunnelReport
from tests.unit.api.conftest import Server
from tests.unit.api.demo import apply_demo


async def make_network(server: Server) -> None:
    text = """
document: shop
logical_switches:
  web:
    ports:
      web-1: {addresses: ["0a:00:00:00:00:01 10.0.0.11"]}
      web-2: {addresses: ["0a:00:00:00:00:02 10.0.0.12"]}
      web-to-edge: {type: router, router_port: edge-web}
  db:
    ports:
      db-1: {addresses: [unknown]}
logical_routers:
  edge:
    ports:
      edge-web: {networks: [10.0.0.1/24]}
"""
    headers = {"Content-Type": "application/yaml"}
    response = await server.client.post("/v1/apply", content=text, headers=headers)
    assert response.status_code == 200, response.text
    await server.translate()


async def flows(client: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        params = {**query, **({"cursor": cursor} if cursor else {})}
        page = (await client.get("/v1/logical-flows", params=params)).json()
        found += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


async def test_flows_are_filtered(server: Server) -> None:
    await make_network(server)
    everything = await flows(server.client)
    assert {flow["datapath"] for flow in everything} == {"web", "db", "edge"}
    for field, value in (("datapath", "web"), ("pipeline", "lr_in"), ("stage", "ls_in_l2_lkup")):
        found = await flows(server.client, **{field: value})
        assert found == [flow for flow in everything if flow[field] == value]
        assert found

    named = await flows(server.client, port="web-1")
    assert all('"web-1"' in flow["text"] for flow in named)
    assert named == [flow for flow in everything if '"web-1"' in flow["text"]]

    port = (await server.client.get("/v1/logical-switch-ports/web-1")).json()
    cause = {"kind": "logical_switch_port", "id": port["id"]}
    caused = await flows(server.client, cause="logical_switch_port/web-1")
    assert caused == [flow for flow in everything if flow["cause"] == cause]
    assert caused


async def test_a_flow_is_told_in_parts_and_as_text(server: Server) -> None:
    await make_network(server)
    (flow,) = [
        flow
        for flow in await flows(server.client, stage="ls_in_l2_lkup", port="web-1")
        if "eth.dst" in flow["match"]
    ]
    assert flow["match"] == "eth.dst == 0a:00:00:00:00:01"
    assert flow["actions"] == 'outport = "web-1"; output;'
    assert flow["text"] == (
        f"table={flow['table']}(ls_in_l2_lkup), priority={flow['priority']}, "
        f"match=({flow['match']}), action=({flow['actions']})"
    )


async def test_pages_of_flows_hold_all_of_them_once(server: Server) -> None:
    await make_network(server)
    at_once = await flows(server.client, limit=1000)
    piecemeal = await flows(server.client, limit=3)
    assert piecemeal == at_once
    assert len(at_once) > 30


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"datapath": "none"}, 404),
        ({"port": "none"}, 404),
        ({"cause": "web-1"}, 422),
        ({"cause": "cloud/web-1"}, 422),
        ({"cause": "acl/none"}, 404),
        ({"cursor": "WyJ4Il0"}, 422),
    ],
)
async def test_wrong_filters_of_flows(server: Server, query: dict[str, str], status: int) -> None:
    assert (await server.client.get("/v1/logical-flows", params=query)).status_code == status


async def test_a_binding_tells_where_a_port_is_and_whether_it_is_up(server: Server) -> None:
    await make_network(server)
    facts = server.realised.facts
    facts.connected(Chassis("hypervisor-1", encaps=(Encap("geneve", "192.0.2.1"),)))
    binding = (await server.client.get("/v1/port-bindings/web-1")).json()
    assert (binding["chassis"], binding["up"]) == (None, False)
    facts.claim("hypervisor-1", "web-1")
    facts.set_up("hypervisor-1", "web-1", True)
    binding = (await server.client.get("/v1/port-bindings/web-1")).json()
    assert (binding["chassis"], binding["up"]) == ("hypervisor-1", True)
    by_id = await server.client.get(f"/v1/port-bindings/{binding['id']}")
    assert by_id.json() == binding
    (chassis,) = (await server.client.get("/v1/chassis")).json()["items"]
    assert (chassis["name"], chassis["ports"], chassis["alive"]) == ("hypervisor-1", 1, True)


async def test_a_requested_chassis_that_is_not_there_is_told(server: Server) -> None:
    await make_network(server)
    wish = {"requested_chassis": ["rack1-host7"]}
    await server.client.patch("/v1/logical-switch-ports/web-1", json=wish)
    await server.translate()
    text = "there is no chassis or host named rack1-host7"
    assert (await server.client.get("/v1/port-bindings/web-1")).json()["problems"] == [text]
    status = (await server.client.get("/v1/status")).json()
    assert status["port_problems"] == [{"port": "web-1", "text": text}]
    assert status["port_problems_total"] == 1

    server.realised.facts.connected(Chassis("hypervisor-1", "rack1-host7"))
    assert (await server.client.get("/v1/port-bindings/web-1")).json()["problems"] == []
    status = (await server.client.get("/v1/status")).json()
    assert (status["port_problems"], status["port_problems_total"]) == ([], 0)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["db-1", "edge-web", "web-1", "web-2", "web-to-edge"]),
        ({"datapath": "web"}, ["web-1", "web-2", "web-to-edge"]),
        ({"chassis": "hypervisor-1"}, ["web-1"]),
        ({"up": "true"}, ["edge-web", "web-1", "web-to-edge"]),
        ({"datapath": "web", "up": "false"}, ["web-2"]),
    ],
)
async def test_bindings_are_filtered(
    server: Server, query: dict[str, str], names: list[str]
) -> None:
    await make_network(server)
    facts = server.realised.facts
    facts.connected(Chassis("hypervisor-1"))
    facts.claim("hypervisor-1", "web-1")
    facts.set_up("hypervisor-1", "web-1", True)
    found = (await server.client.get("/v1/port-bindings", params=query)).json()["items"]
    assert [binding["name"] for binding in found] == names


async def test_bindings_come_in_pages(server: Server) -> None:
    await make_network(server)
    names: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = (await server.client.get("/v1/port-bindings", params=query)).json()
        names += [binding["name"] for binding in page["items"]]
        cursor = page["next_cursor"]
    assert names == ["db-1", "edge-web", "web-1", "web-2", "web-to-edge"]


async def test_a_chassis_that_is_connected_is_not_forgotten(server: Server) -> None:
    server.realised.facts.connected(Chassis("hypervisor-1"))
    server.agents.connected["hypervisor-1"] = 7
    read = (await server.client.get("/v1/chassis/hypervisor-1")).json()
    assert (read["connected"], read["applied_revision"]) == (True, 7)
    refused = await server.client.delete("/v1/chassis/hypervisor-1")
    assert refused.status_code == 409
    assert refused.json()["type"] == "/problems/connected"
    del server.agents.connected["hypervisor-1"]
    assert (await server.client.delete("/v1/chassis/hypervisor-1")).status_code == 204
    assert server.agents.removed == ["hypervisor-1"]
    assert (await server.client.delete("/v1/chassis/hypervisor-2")).status_code == 404


async def test_what_agents_say_of_their_host_and_tunnels_is_shown(server: Server) -> None:
    facts = server.realised.facts
    for name in ("hv1", "hv2", "hv3"):
        facts.connected(Chassis(name))
    lost = TunnelFault("hv3", "no-answer", "192.0.2.3", "", 1764158400.7)
    taken = TunnelFault("hv2", "other-chassis", "192.0.2.2", "hv3", 1764158400.0)
    tunnels = TunnelReport({"hv3": lost, "hv2": taken}, frozenset({"hv4"}), {"hv5": 1442})
    conditions = {"switch": "no connection"}
    server.agents.statuses = {
        "hv1": ChassisStatus(
            True,
            7,
            {},
            tunnels,
            frozenset(),
            conditions,
            1764158500.2,
            skipped={"messages bfd-state": 3},
            lacks=("table stage",),
        ),
        "hv2": ChassisStatus(False, 0, {}, is_known=False),
    }
    told = (await server.client.get("/v1/chassis/hv1")).json()
    assert told["degraded"] == conditions
    assert told["tunnels"]["mtus"] == {"hv5": 1442}
    assert told["unknown_to_agent"] == ["table stage"]
    assert told["unknown_to_server"] == {"messages bfd-state": 3}
    assert told["last_heard"] == "2025-11-26T12:01:40+00:00"
    assert told["tunnels"]["probed"]
    assert told["tunnels"]["pending"] == ["hv4"]
    first, second = told["tunnels"]["unreachable"]
    assert (first["chassis"], first["answered_by"]) == ("hv2", "hv3")
    assert second == {
        "chassis": "hv3",
        "reason": "no-answer",
        "address": "192.0.2.3",
        "answered_by": None,
        "since": "2025-11-26T12:00:00+00:00",
        "text": "hv1 gets no answer from hv3's tunnel address 192.0.2.3",
    }
    silent = (await server.client.get("/v1/chassis/hv2")).json()
    assert (silent["last_heard"], silent["tunnels"]["probed"]) == (None, False)
    status = (await server.client.get("/v1/status")).json()
    assert status["chassis_degraded"] == 1
    assert status["chassis_problems"] == [
        {"chassis": "hv1", "text": "switch: no connection"},
        {"chassis": "hv2", "text": "its agent is not connected"},
        {"chassis": "hv3", "text": "its agent is not connected"},
    ]
    assert status["chassis_problems_total"] == 3


async def test_status_tells_how_far_the_last_change_has_come(server: Server) -> None:
    await server.client.post("/v1/logical-switches", json={"name": "web"})
    before = (await server.client.get("/v1/status")).json()
    assert (before["revision"], before["translated_revision"]) == (1, 0)
    await server.translate()
    after = (await server.client.get("/v1/status")).json()
    assert (after["revision"], after["translated_revision"]) == (1, 1)
    assert after["faults"] == []
    assert after["trouble"] == ""


async def test_revisions_tell_what_was_and_what_is(client: httpx.AsyncClient) -> None:
    await client.post("/v1/logical-switches", json={"name": "web"})
    await client.patch(
        "/v1/logical-switches/web", params={"comment": "labelled"}, json={"labels": {"a": "1"}}
    )
    listed = (await client.get("/v1/revisions")).json()["items"]
    assert [(each["id"], each["comment"]) for each in listed] == [(2, "labelled"), (1, "")]
    (change,) = (await client.get("/v1/revisions/2")).json()["changes"]
    assert change["table"] == "logical_switch"
    assert (change["before"]["labels"], change["after"]["labels"]) == ({}, {"a": "1"})
    touched = await client.get("/v1/revisions", params={"object": change["object_id"], "limit": 1})
    assert [each["id"] for each in touched.json()["items"]] == [2]
    assert touched.json()["next_cursor"] is not None
    assert (await client.get("/v1/revisions/3")).status_code == 404


@pytest.mark.parametrize("cursor", ["WyJ4Il0", "Wzk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5XQ"])
async def test_a_cursor_of_another_list(client: httpx.AsyncClient, cursor: str) -> None:
    response = await client.get("/v1/revisions", params={"cursor": cursor})
    assert response.status_code == 422
    assert response.json()["errors"][0]["parameter"] == "cursor"


async def test_metrics(server: Server) -> None:
    await make_network(server)
    text = (await server.client.get("/metrics")).text
    assert "treadle_port_bindings 5.0" in text
    assert "treadle_ports_up 0.0" in text
    assert "treadle_translated_revision 1.0" in text
    assert 'treadle_http_requests_total{method="POST",path="/v1/apply",status="200"} 1.0' in text


async def test_health(client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthz")).json() == {"status": "ok"}


async def test_a_full_comparison_finds_nothing(server: Server) -> None:
    await make_network(server)
    answer = await server.client.get("/v1/status/differences")
    assert answer.json() == {"differences": []}


async def test_hits_of_an_acl(server: Server, client: httpx.AsyncClient) -> None:
    await apply_demo(server)
    acl = (await client.get("/v1/acls")).json()["items"][0]
    groups = [g for g in server.realised.rows(FlowGroup).values() if g.cause_id == acl["id"]]
    assert groups
    path = f"/v1/acls/{acl['id']}/hits"
    nothing = {"packets": 0, "bytes": 0, "last_hit": None, "chassis": {}, "not_counted": {}}
    assert (await client.get(path)).json() == {"acl": acl["id"], "name": acl["name"], **nothing}

    def count(chassis: str, question: Question) -> Result:
        assert isinstance(question, CountHits)
        if chassis == "hv2":
            raise NoAnswerInTimeError("its agent has not answered within 5 s")
        return HitsCounted(tuple(GroupHits(each, 3, 180, 0.0) for each in question.groups))

    server.agents.watchers = ["hv1", "hv2"]
    server.agents.answer = count
    for name in server.agents.watchers:
        encap = Encap("geneve", f"192.0.2.{name[-1]}")
        server.realised.facts.connected(Chassis(name, name, (encap,)))
        server.realised.facts.claim(name, "web-1" if name == "hv1" else "db-1")
    counted = (await client.get(path)).json()
    assert counted["packets"] == 3 * len(groups)
    assert counted["chassis"].keys() == {"hv1"}
    assert counted["not_counted"] == {"hv2": "its agent has not answered within 5 s"}
    metrics = (await client.get("/metrics")).text
    assert f'treadle_acl_packets_total{{acl="{acl["id"]}"}} {3.0 * len(groups)}' in metrics


async def test_hits_of_no_acl(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/acls/nosuch/hits")).status_code == 404
    refused = await client.get("/v1/acls/nosuch/hits", params={"timeout": 31})
    assert refused.status_code == 422
