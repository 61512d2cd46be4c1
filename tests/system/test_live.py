"""Live checks: what switches would do with packets, and wrong flows that somebody left there."""

import random
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from chassis_agent.tables import stage_table
from cli.testbed.hypervisor import INTEGRATION_BRIDGE, Hypervisor
from cli.testbed.wait import until
from southbound.cookies import PHYSICAL_COOKIE
from tests.system.conftest import Scene
from translator.pipeline.ls_out import LS_OUT

pytestmark = pytest.mark.system

VMS = {"la": ("l1", "hv1"), "lb": ("l1", "hv1"), "lc": ("l1", "hv2"), "ld": ("l2", "hv2")}
MAC = {name: f"0a:00:00:00:30:0{1 + number}" for number, name in enumerate(VMS)}
IP4 = {
    name: f"10.3.{switch[1]}.{11 + number}"
    for number, (name, (switch, _)) in enumerate(VMS.items())
}
EXPIRING = (
    f"eth.src == {MAC['la']} && eth.dst == 0a:00:00:00:3f:01 && ip4.src == {IP4['la']} "
    f"&& ip4.dst == {IP4['ld']} && ip.ttl == 1 && udp.dst == 53"
)
SPOOFED = f"eth.src == {MAC['lb']} && eth.dst == {MAC['lc']} && ip4.src == 10.9.9.9 && udp"
TAGGED = f"eth.src == {MAC['la']} && eth.dst == 0a:00:00:00:77:77 && ip4 && vlan.vid == 7"
RARP = f"eth.src == {MAC['la']} && eth.dst == ff:ff:ff:ff:ff:ff && rarp"
SOLICITATION = (
    f"eth.src == {MAC['la']} && eth.dst == 33:33:ff:00:00:13 && ip6.src == fd30:1::11 "
    "&& ip6.dst == ff02::1:ff00:13 && nd_ns && nd.target == fd30:1::13"
)

ACL_ACTION = stage_table("ls_out", LS_OUT.tables["ls_out_acl_action"])
"""A table that packets to `lc` come through."""
UNUSED_PRIORITY = 64999
SEEDED = 4
"""How many flows of a hypervisor are tampered with, one after the other, in each way."""


@pytest.fixture(scope="module", autouse=True)
def _network(scene: Scene) -> None:
    """Two routed switches; TCP to `lc` and `ld` is allowed to port 80 only.

    Agents leave wrong flows where they are, for the checks to find.
    """
    for name in scene.lab.hypervisors:
        scene.lab.stop_process(f"{name}/agent")
        scene.lab.start_agent(name, environment={"TREADLE_AGENT__REPAIR": "false"})
    scene.settle()
    net = scene.net
    net.router("l0")
    for subnet in ("1", "2"):
        net.switch(f"l{subnet}")
        mac = f"0a:00:00:00:3f:0{subnet}"
        net.attach("l0", f"l{subnet}", mac, f"10.3.{subnet}.1/24", f"fd30:{subnet}::1/64")
    for number, (name, (switch, hypervisor)) in enumerate(VMS.items()):
        ip6 = f"fd30:{switch[1]}::{11 + number}"
        net.port(switch, name, f"{MAC[name]} {IP4[name]} {ip6}")
        scene.lab.add_vm(name, hypervisor)
    net.port("l1", "nowhere", "0a:00:00:00:30:09 10.3.1.99")
    net.port_group("guarded", "lc", "ld")
    net.acl("pg:guarded", "to-lport", 1, "outport == @guarded && tcp", "drop", name="shut")
    net.acl("pg:guarded", "to-lport", 9, "outport == @guarded && tcp.dst == 80", "allow-related")
    scene.lab.wait_until_up()


def live(scene: Scene, packet: str = "", **fields: Any) -> Any:
    """The live part of a trace."""
    request = {**({"packet": packet} if packet else {}), **fields, "live": True}
    answer = scene.net.client.post("/v1/trace", json=request)
    assert answer.is_success, answer.text
    return answer.json()["live"]


def lines(found: Any) -> str:
    """All sentences of a live check."""
    return "\n".join(
        [found["text"], *(leg["text"] for each in found["chassis"] for leg in each["legs"])]
    )


def explained(scene: Scene, source: str, destination: str, service: str) -> Any:
    """The answer to whether one port reaches another, with its live part."""
    request = {"source": source, "destination": destination, "service": service, "live": True}
    return scene.net.reachability(request)


def of_chassis(found: Any, name: str) -> Any:
    return next(each for each in found["chassis"] if each["chassis"] == name)


@pytest.mark.parametrize("connection", ["new", "established", "reply"])
@pytest.mark.parametrize(
    ("packet", "chassis"),
    [
        ("tcp la -> lb:80", {"hv1"}),
        ("tcp la -> lc:80", {"hv1", "hv2"}),
        ("tcp la -> lc:81", {"hv1", "hv2"}),
        ("udp lc -> la:53", {"hv1", "hv2"}),
        ("tcp la -> ld:80", {"hv1", "hv2"}),
        ("udp ld -> [fd30:1::11]:53", {"hv1", "hv2"}),
        ("icmp la -> 10.3.1.1", {"hv1"}),
        ("icmp la -> nowhere", {"hv1"}),
        ("arp la -> 10.3.1.13", {"hv1"}),
        ("arp la -> 10.3.1.50", {"hv1", "hv2"}),
        ("udp la -> 224.0.0.5:53", {"hv1", "hv2"}),
    ],
)
def test_switches_do_what_the_walk_says(
    scene: Scene, packet: str, chassis: set[str], connection: str
) -> None:
    found = live(scene, packet, connection=connection)
    assert found["agrees"] is True, lines(found)
    assert {each["chassis"] for each in found["chassis"]} == chassis
    assert all(each["in_sync"] for each in found["chassis"])


@pytest.mark.parametrize("connection", ["established", "reply"])
@pytest.mark.parametrize(
    "packet",
    [
        "tcp la -> lb:80",
        "tcp lc -> la:80",
        "tcp lc -> ld:80",
        "tcp la -> ld:81",
        "udp ld -> [fd30:1::11]:53",
        "icmp la -> 10.3.1.1",
    ],
)
def test_switches_agree_about_blocked_connections(
    scene: Scene, packet: str, connection: str
) -> None:
    found = live(scene, packet, connection=connection, blocked=True)
    assert found["agrees"] is True, lines(found)


@pytest.mark.parametrize("match", [EXPIRING, SPOOFED, TAGGED, RARP, SOLICITATION])
def test_switches_agree_about_packets_of_any_kind(scene: Scene, match: str) -> None:
    found = live(scene, match=match, inport="la")
    assert found["agrees"] is True, lines(found)


@pytest.mark.parametrize("destination", ["lb", "lc", "ld"])
@pytest.mark.parametrize("service", ["tcp/80", "tcp/81", "udp/53", "icmp"])
def test_switches_agree_about_all_packets_of_an_explanation(
    scene: Scene, destination: str, service: str
) -> None:
    found = explained(scene, "la", destination, service)
    assert found["live"]["agrees"] is True, lines(found["live"])


@contextmanager
def tampered(hypervisor: Hypervisor, *command: str) -> Iterator[None]:
    """A switch of which somebody changed flows, until the agent is told to repair them."""
    switch = hypervisor.switch
    bridge = switch.management(INTEGRATION_BRIDGE)
    *options, flow = command
    switch.ofctl(*options, bridge, flow)
    try:
        yield
    finally:
        assert hypervisor.agent("repair")["repaired"]


def flow_with(hypervisor: Hypervisor, *words: str) -> str:
    """The one flow whose text has all of `words`."""
    (found,) = [line for line in hypervisor.flows() if all(word in line for word in words)]
    return found


def lookup(hypervisor: Hypervisor, mac: str) -> str:
    """The match of the flow that finds the port of `mac` on its switch."""
    flow = flow_with(hypervisor, f"dl_dst={mac} ", "priority=50", "resubmit(,80)")
    return flow.partition("priority=50,")[2].partition(" actions")[0]


def test_an_added_flow_is_found_and_named(scene: Scene) -> None:
    hv2 = scene.lab.hypervisors["hv2"]
    with tampered(hv2, "add-flow", f"table={ACL_ACTION},priority=2000,udp,tp_dst=53,actions=drop"):
        found = live(scene, "udp la -> lc:53")
        harmless = live(scene, "tcp la -> lc:80")
        explanation = explained(scene, "la", "lc", "udp/53")
    assert found["agrees"] is False
    assert of_chassis(found, "hv1")["agrees"] is True
    hv2_found = of_chassis(found, "hv2")
    (difference,) = hv2_found["differences"]
    assert difference["kind"] == "extra"
    assert "priority=2000" in difference["found"]
    assert "that nobody wants" in found["text"]
    (leg,) = hv2_found["legs"]
    assert leg["agrees"] is False
    assert leg["wanted"] == {"ports": ["lc"], "chassis": [], "agent": False}
    assert leg["found"]["ports"] == []
    assert "a flow that no logical flow stands for: priority=2000" in leg["text"]
    # A packet that doesn't meet it is told of it, and gets where it should.
    assert harmless["agrees"] is False
    assert [each["agrees"] for each in of_chassis(harmless, "hv2")["legs"]] == [True]
    assert (explanation["reachable"], explanation["live"]["agrees"]) == (True, False)
    assert "priority=2000" in explanation["live"]["text"]
    assert live(scene, "udp la -> lc:53")["agrees"] is True


def treadle(*arguments: str, code: int) -> str:
    """What a command prints; it has to end with `code`."""
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def test_the_command_names_the_flow_and_fails(scene: Scene) -> None:
    explain = ("explain", "la", "lc", "udp/53", "--live", "--url", scene.lab.server.url)
    assert "live: the switches do what the walk does" in treadle(*explain, code=0)
    hv2 = scene.lab.hypervisors["hv2"]
    with tampered(hv2, "add-flow", f"table={ACL_ACTION},priority=2000,udp,tp_dst=53,actions=drop"):
        printed = treadle(*explain, code=1)
    assert "live: the switches differ" in printed
    assert "hv2: in sync with revision" in printed
    assert "has a flow that nobody wants" in printed


def test_detrace_at_the_agent_tells_the_logical_flow_of_a_line(scene: Scene) -> None:
    hv1 = scene.lab.hypervisors["hv1"]
    line = flow_with(hv1, f"dl_dst={MAC['lc']} ", "priority=50", "resubmit(,80)")
    detrace = ("agent", "detrace", "--config", str(hv1.configuration))
    heading, flow = treadle(*detrace, line, code=0).splitlines()
    assert heading.startswith(line.partition("cookie=")[2].partition(",")[0])
    assert "logical switch port" in heading
    assert "on l1, since revision" in heading
    assert f"eth.dst == {MAC['lc']}" in flow
    treadle(*detrace, "0x123456", code=1)


def test_a_removed_flow_is_found_with_its_logical_flow_and_object(scene: Scene) -> None:
    hv1 = scene.lab.hypervisors["hv1"]
    match = lookup(hv1, MAC["lc"])
    with tampered(hv1, "del-flows", f"table={table_of(hv1, MAC['lc'])},{match}"):
        found = live(scene, "tcp la -> lc:80")
    hv1_found = of_chassis(found, "hv1")
    (difference,) = hv1_found["differences"]
    assert (difference["kind"], difference["datapath"]) == ("missing", "l1")
    assert difference["table"] == "ls_in_l2_lkup"
    (logical_flow,) = difference["logical_flows"]
    assert f"eth.dst == {MAC['lc']}" in logical_flow
    assert 'outport = "lc"' in logical_flow
    assert difference["cause"]["name"] == "lc"
    assert difference["cause"]["kind"] == "logical_switch_port"
    assert "last changed by" in difference["text"]
    (leg,) = hv1_found["legs"]
    assert leg["agrees"] is False
    assert leg["wanted"]["chassis"] == ["hv2"]


def table_of(hypervisor: Hypervisor, mac: str) -> str:
    flow = flow_with(hypervisor, f"dl_dst={mac} ", "priority=50", "resubmit(,80)")
    return flow.partition("table=")[2].partition(",")[0]


def test_an_altered_flow_is_found_with_what_is_wanted(scene: Scene) -> None:
    """The ACL that drops TCP lets it pass instead."""
    hv2 = scene.lab.hypervisors["hv2"]
    cookie = next(
        each["group"]
        for each in visits(scene, "tcp la -> lc:81")
        if each["cause"] and each["cause"]["name"] == "shut"
    )
    line = flow_with(hv2, f"cookie={cookie},", ",tcp,", "reg15=")
    head, _, actions = line.partition(" actions=")
    (onward,) = re.findall(r"resubmit\(,[0-9]+\)", actions)
    changed = f"{head} actions={onward}"
    with tampered(hv2, "add-flow", changed):
        found = live(scene, "tcp la -> lc:81")
    hv2_found = of_chassis(found, "hv2")
    (difference,) = hv2_found["differences"]
    assert difference["kind"] == "altered"
    assert difference["cause"]["name"] == "shut"
    assert difference["wanted"] != difference["found"]
    (leg,) = hv2_found["legs"]
    assert (leg["agrees"], leg["wanted"]["ports"], leg["found"]["ports"]) == (False, [], ["lc"])


def visits(scene: Scene, packet: str) -> Iterator[Any]:
    waiting = scene.net.client.post("/v1/trace", json={"packet": packet}).json()["steps"]
    while waiting:
        step = waiting.pop(0)
        yield step
        waiting += step["steps"]


@pytest.mark.parametrize("kind", ["missing", "altered", "extra"])
@pytest.mark.parametrize(
    ("name", "packet"), [("hv1", "udp la -> ld:53"), ("hv2", "udp ld -> la:53")]
)
def test_whatever_flow_is_wrong_is_named(scene: Scene, name: str, packet: str, kind: str) -> None:
    """Flows chosen at random where the packet begins: it gets to all datapaths there."""
    hypervisor = scene.lab.hypervisors[name]
    chance = random.Random(f"{name} {kind}")
    for line in chance.sample(hypervisor.flows(), SEEDED):
        cookie, head, actions = parts(line)
        action = "drop" if actions != "drop" else "resubmit(,253)"
        match kind:
            case "missing":
                command = ["--strict", "del-flows", head]
            case "altered":
                command = ["add-flow", f"cookie={cookie},{head},actions={action}"]
            case _:
                above = re.sub(r"priority=[0-9]+", f"priority={UNUSED_PRIORITY}", head)
                command = ["add-flow", f"{above},actions={action}"]
        with tampered(hypervisor, *command):
            found = live(scene, packet)
        assert found["agrees"] is False, line
        (difference,) = of_chassis(found, name)["differences"]
        assert difference["kind"] == kind, line
        if kind == "extra":
            assert difference["found"]
        else:
            assert difference["cookie"] == cookie
            logical = int(cookie, 16) < PHYSICAL_COOKIE
            assert bool(difference["logical_flows"]) == bool(difference["cause"]) == logical, line
            assert len(difference["logical_flows"]) == logical, line
            assert ", of " in difference["text"]


def parts(line: str) -> tuple[str, str, str]:
    """Cookie, table with priority and match, and actions of a flow in a dump."""
    head, _, actions = line.partition(" actions=")
    cookie, _, rest = head.removeprefix("cookie=").partition(", ")
    return cookie, rest.replace(", ", ","), actions


def test_an_agent_that_is_away_is_named(scene: Scene) -> None:
    lab = scene.lab
    lab.stop_process("hv2/agent")
    try:
        status = "/chassis/hv2"
        until(lambda: not scene.net.get(status)["connected"], "hv2 is seen to be away")
        found = live(scene, "tcp la -> lc:80")
    finally:
        lab.start_agent("hv2")
    assert found["agrees"] is None
    assert of_chassis(found, "hv1")["agrees"] is True
    assert of_chassis(found, "hv2")["problem"] == "its agent is not connected"
    assert "hv2: it can't be asked: its agent is not connected" in found["text"]


def test_a_port_that_is_nowhere_enters_no_switch(scene: Scene) -> None:
    found = live(scene, "icmp nowhere -> la")
    assert (found["agrees"], found["chassis"]) == (None, [])
    assert "nowhere is bound to no chassis" in found["text"]


def test_replies_of_blocked_connections_stop_in_the_switch(scene: Scene) -> None:
    found = live(scene, "tcp lc -> la:80", connection="reply", blocked=True)
    (leg,) = of_chassis(found, "hv2")["legs"]
    assert (leg["agrees"], leg["found"]) == (True, {"ports": [], "chassis": [], "agent": False})
    passing = live(scene, "tcp lc -> la:80", connection="reply")
    assert of_chassis(passing, "hv2")["legs"][0]["found"]["chassis"] == ["hv1"]


def test_what_no_switch_has_can_not_be_asked(scene: Scene) -> None:
    request = {"packet": "icmp la -> lb", "live": True, "with": {"operations": []}}
    answer = scene.net.client.post("/v1/trace", json=request)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "#/live"
