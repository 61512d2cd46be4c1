"""The CNI plugin on two hypervisors of a lab; namespaces stand for containers."""

import json
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.testbed.namespace import Namespace
from cli.testbed.wait import until
from integrations.cni.versions import SUPPORTED
from tests.system.conftest import Scene
from tests.system.integrations.cni_host import (
    CniFailedError,
    CniHost,
    answer_of,
    cni_hosts,
    containers,
    pings,
)

ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def hosts(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, CniHost]]:
    # A namespace takes its end of a pair with it, under the eyes of a switch in userspace.
    scene.expected_trouble.append(r"error receiving data from cni\w+: Network is down")
    scene.net.switch("lan", subnet4="10.9.0.0/24", subnet6="fd00:9::/64")
    with cni_hosts(scene, tmp_path_factory.mktemp("cni")) as hosts:
        yield hosts


@pytest.fixture
def host(hosts: dict[str, CniHost]) -> CniHost:
    return hosts["hv1"]


@pytest.fixture(autouse=True)
def _nothing_is_left(scene: Scene, hosts: dict[str, CniHost]) -> Iterator[None]:
    """What a test attaches it detaches, and then there is nothing of it anywhere."""
    yield
    for host in hosts.values():
        assert host.interfaces() == set()
        assert host.bridge_ports() == set()
    assert ports(scene) == []


def ports(scene: Scene) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = scene.net.get("/logical-switch-ports?limit=1000")["items"]
    return items


def example(host: CniHost, name: str, **fields: Any) -> dict[str, Any]:
    """The configuration in ``examples/cni``, for the lab's server and devices."""
    conflist = json.loads((ROOT / f"examples/cni/{name}.conflist").read_text())
    (plugin,) = conflist.pop("plugins")
    return {**conflist, **plugin, "url": host.url, **fields}


def addresses(result: dict[str, Any]) -> list[str]:
    return [entry["address"].partition("/")[0] for entry in result["ips"]]


def test_containers_of_different_hosts_reach_each_other(
    scene: Scene, hosts: dict[str, CniHost]
) -> None:
    near, far = hosts["hv1"], hosts["hv2"]
    scene.net.port_group("web")
    args = "IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web-0;K8S_POD_UID=u1;X=y"
    with containers(2) as (one, other):
        configuration = near.configuration(
            gateways=["10.9.0.1"], defaultRoute=True, portGroups=["web"], labels={"team": "shop"}
        )
        result = near.call("ADD", configuration, "web", str(one.path), args=args)
        (entry,) = [each for each in result["interfaces"] if "sandbox" in each]
        assert entry == {"name": "eth0", "mac": entry["mac"], "mtu": 1442, "sandbox": str(one.path)}
        assert [each["gateway"] for each in result["ips"] if "gateway" in each] == ["10.9.0.1"]
        assert result["routes"] == [{"dst": "0.0.0.0/0", "gw": "10.9.0.1"}]
        assert "default via 10.9.0.1" in one.ip("route")

        (port,) = ports(scene)
        assert port["display_name"] == "shop/web-0 eth0"
        assert port["labels"]["treadle.kubernetes/pod-uid"] == "u1"
        assert port["labels"]["team"] == "shop"
        assert port["port_security"] == [port["dynamic_addresses"]]
        assert port["dynamic_addresses"].split() == [entry["mac"], *addresses(result)]
        assert scene.net.get("/port-groups/web")["ports"] == [port["name"]]
        assert scene.net.get(f"/port-bindings/{port['id']}")["up"]

        second = far.call("ADD", far.configuration(), "db", str(other.path))
        for address in addresses(second):
            assert pings(one, address)
        # No default route without being asked for one.
        assert "default" not in other.ip("route")

        near.call("CHECK", {**configuration, "prevResult": result}, "web", str(one.path))
        near.call("STATUS", configuration)
        near.call("DEL", {**configuration, "prevResult": result}, "web", str(one.path))
        assert "eth0" not in one.ip("link")
        far.call("DEL", far.configuration(), "db", "")
        # Again, and of what never was.
        far.call("DEL", far.configuration(), "db", "")
        far.call("DEL", far.configuration(), "nothing", str(other.path))


def test_default_routes_lead_to_the_router_of_the_switch(scene: Scene, host: CniHost) -> None:
    scene.net.call(
        "POST",
        "/logical-switches",
        {"name": "routed", "subnet4": "10.5.0.0/24", "subnet6": "fd00:5::/64"},
    )
    configuration = host.configuration("routed", defaultRoute=True)
    with containers(1) as (one,):
        with pytest.raises(CniFailedError, match="defaultRoute: needs gateways") as failed:
            host.call("ADD", configuration, "web", str(one.path))
        assert failed.value.code == 7
        assert "eth0" not in one.ip("link")
        scene.net.call("POST", "/logical-routers", {"name": "gate"})
        scene.net.call(
            "POST",
            "/logical-router-ports",
            {
                "name": "gate-routed",
                "logical_router": "gate",
                "mac": "0a:00:00:00:05:01",
                "networks": ["10.5.0.1/24", "fd00:5::1/64"],
            },
        )
        scene.net.call(
            "POST",
            "/logical-switch-ports",
            {"name": "routed-gate", "logical_switch": "routed", "router_port": "gate-routed"},
        )
        result = host.call("ADD", configuration, "web", str(one.path))
        assert result["routes"] == [
            {"dst": "0.0.0.0/0", "gw": "10.5.0.1"},
            {"dst": "::/0", "gw": "fd00:5::1"},
        ]
        assert [each["gateway"] for each in result["ips"]] == ["10.5.0.1", "fd00:5::1"]
        assert "default via 10.5.0.1" in one.ip("route")
        assert pings(one, "10.5.0.1")
        host.call("CHECK", {**configuration, "prevResult": result}, "web", str(one.path))
        host.call("DEL", configuration, "web", str(one.path))
    for path in ("/logical-switch-ports/routed-gate", "/logical-router-ports/gate-routed"):
        scene.net.delete(path)
    scene.net.delete("/logical-routers/gate")
    scene.net.delete("/logical-switches/routed")


def test_packets_with_addresses_of_others_are_dropped(hosts: dict[str, CniHost]) -> None:
    near, far = hosts["hv1"], hosts["hv2"]
    with containers(2) as (one, other):
        near.call("ADD", near.configuration(), "web", str(one.path))
        result = far.call("ADD", far.configuration(portSecurity=False), "db", str(other.path))
        assert pings(one, addresses(result)[0])
        one.ip("address", "flush", "dev", "eth0", "scope", "global")
        one.ip("address", "add", "10.9.0.99/24", "dev", "eth0")
        assert not pings(one, addresses(result)[0], 1)
        near.call("DEL", near.configuration(), "web", str(one.path))
        far.call("DEL", far.configuration(), "db", str(other.path))


@pytest.mark.parametrize("version", SUPPORTED)
def test_every_version_adds_and_removes(host: CniHost, version: str) -> None:
    configuration = host.configuration(cniVersion=version)
    with containers(1) as (one,):
        result = host.call("ADD", configuration, "web", str(one.path))
        assert result["cniVersion"] == version
        assert ("version" in result["ips"][0]) == (version < "1")
        if version >= "0.4":
            previous = {**configuration, "prevResult": result}
            host.call("CHECK", previous, "web", str(one.path))
        host.call("DEL", {**configuration, "prevResult": result}, "web", "")


def test_a_container_has_several_attachments(scene: Scene, host: CniHost) -> None:
    """The second network's switch is made from its configuration, behind another plugin."""
    wan = host.configuration("wan", createSwitch={"subnet4": "10.8.0.0/28", "labels": {"a": "b"}})
    with containers(1) as (one,):
        first = host.call("ADD", host.configuration(), "web", str(one.path))
        both = host.call("ADD", {**wan, "prevResult": first}, "web", str(one.path), ifname="net1")
        assert [each["name"] for each in both["interfaces"] if "sandbox" in each] == [
            "eth0",
            "net1",
        ]
        assert both["ips"][-1] == {"address": "10.8.0.2/28", "interface": 3}
        assert scene.net.get("/logical-switches/wan")["labels"] == {"a": "b"}
        host.call("DEL", wan, "web", str(one.path), ifname="net1")
        assert "eth0" in one.ip("link")
        host.call("DEL", host.configuration(), "web", str(one.path))
    scene.net.delete("/logical-switches/wan")


def test_addresses_can_be_asked_for(host: CniHost) -> None:
    wish = {"ips": ["10.9.0.77/24", "fd00:9::77/64"], "mac": "0A:00:00:00:00:77"}
    configuration = host.configuration(runtimeConfig=wish)
    with containers(2) as (one, other):
        result = host.call("ADD", configuration, "web", str(one.path))
        assert [entry["address"] for entry in result["ips"]] == wish["ips"]
        assert result["interfaces"][1]["mac"] == "0a:00:00:00:00:77"
        with pytest.raises(CniFailedError, match="already taken") as refused:
            host.call("ADD", configuration, "db", str(other.path))
        assert refused.value.code == 100
        assert "eth0" not in other.ip("link")
        host.call("DEL", configuration, "web", str(one.path))


def test_refusals_leave_nothing(host: CniHost) -> None:
    with containers(1) as (one,):
        for fields, text in (
            ({"switch": "none"}, "no logical switch 'none'"),
            ({"portGroups": ["none"]}, "no port group 'none'"),
            ({"runtimeConfig": {"ips": ["224.0.0.1"]}}, "multicast"),
        ):
            with pytest.raises(CniFailedError, match=text):
                host.call("ADD", host.configuration(**fields), "web", str(one.path))
            assert "eth0" not in one.ip("link")
        with pytest.raises(CniFailedError) as unknown:
            host.call("ADD", host.configuration(), "web", "/run/netns/none-such")
        assert unknown.value.code == 3


def test_check_names_what_differs(scene: Scene, host: CniHost) -> None:
    configuration = host.configuration(gateways=["10.9.0.1"], defaultRoute=True)
    with containers(1) as (one,):
        result = host.call("ADD", configuration, "web", str(one.path))
        previous = {**configuration, "prevResult": result}
        (port,) = ports(scene)
        address = result["ips"][0]["address"]
        interface = result["interfaces"][0]["name"]
        vsctl = host.hypervisor.switch.vsctl

        def differs(text: str) -> None:
            with pytest.raises(CniFailedError, match=text) as failed:
                host.call("CHECK", previous, "web", str(one.path))
            assert failed.value.code == 103

        one.ip("route", "del", "default")
        differs("lacks the route")
        one.ip("route", "add", "default", "via", "10.9.0.1")
        one.ip("address", "del", address, "dev", "eth0")
        differs("lacks the address")
        one.ip("address", "add", address, "dev", "eth0")
        one.ip("link", "set", "eth0", "down")
        differs("is down")
        one.ip("link", "set", "eth0", "up", "address", "0a:00:00:00:00:aa")
        differs("has MAC")
        one.ip("link", "set", "eth0", "address", result["interfaces"][1]["mac"])
        one.ip("address", "replace", result["ips"][1]["address"], "dev", "eth0", "nodad")
        one.ip("route", "replace", "default", "via", "10.9.0.1")
        host.call("CHECK", previous, "web", str(one.path))
        vsctl("set", "Interface", interface, "external_ids:iface-id=other")
        differs("is an interface of port other")
        vsctl("set", "Interface", interface, "external_ids:iface-id=" + port["id"])
        scene.net.delete(f"/logical-switch-ports/{port['id']}")
        differs("Treadle has no port")
        host.call("DEL", previous, "web", str(one.path))


@pytest.mark.timeout(300)
def test_fifty_at_once(scene: Scene, hosts: dict[str, CniHost]) -> None:
    """Of these, two are for the same interface of a container, of which one wins."""
    configuration = hosts["hv1"].configuration(
        "crowd", createSwitch={"subnet4": "10.7.0.0/24"}, timeout=120
    )
    host = hosts["hv1"]
    with containers(49) as made:
        calls = [(f"c{i}", str(each.path)) for i, each in enumerate(made)]
        started = [host.start("ADD", configuration, *call) for call in [*calls, calls[0]]]
        results, codes = [], []
        for process in started:
            try:
                results.append(answer_of(process))
            except CniFailedError as error:
                codes.append(error.code)
        assert (len(results), codes) == (49, [101])
        assert len({addresses(result)[0] for result in results}) == 49
        for name, netns in calls[:1]:
            host.call("CHECK", {**configuration, "prevResult": _of(results, netns)}, name, netns)
        host.collect(configuration, *(name for name, _ in calls[:2]))
        assert len(ports(scene)) == len(host.interfaces()) == len(host.bridge_ports()) == 2
        assert pings(made[0], addresses(_of(results, calls[1][1]))[0])
        for name, _ in calls[:2]:
            host.call("DEL", configuration, name, "")
    scene.net.delete("/logical-switches/crowd")


def _of(results: list[dict[str, Any]], netns: str) -> dict[str, Any]:
    return next(each for each in results if each["interfaces"][-1]["sandbox"] == netns)


def test_a_rebooted_host_adds_again(scene: Scene, host: CniHost) -> None:
    """After a reboot neither interfaces nor namespaces are there, but what databases keep."""
    with containers(1) as (one,):
        host.call("ADD", host.configuration(), "web", str(one.path))
        (port,) = ports(scene)
    until(lambda: host.interfaces() == set(), "the interface to go with its namespace")
    with containers(1) as (one,):
        host.call("ADD", host.configuration(), "web", str(one.path))
        (again,) = ports(scene)
        assert again["id"] == port["id"]
        assert again["dynamic_addresses"] == port["dynamic_addresses"]
    host.collect(host.configuration())


def test_killed_anywhere_it_leaves_nothing_behind_del_or_gc(scene: Scene, host: CniHost) -> None:
    """The plugin is killed as soon as something of its work is seen."""
    configuration = host.configuration()
    steps: list[Callable[[Namespace], bool]] = [
        lambda _: True,
        lambda one: "eth0" in one.ip("link"),
        lambda _: host.bridge_ports() != set(),
        lambda _: ports(scene) != [],
        lambda one: "10.9.0." in one.ip("address"),
    ]
    killed = 0
    for clean_up in ("DEL", "GC"):
        for step in steps:
            with containers(1) as (one,):
                process = host.start("ADD", configuration, "web", str(one.path))
                while process.poll() is None and not step(one):
                    continue
                process.kill()
                process.communicate()
                killed += process.returncode == -signal.SIGKILL
                if clean_up == "DEL":
                    host.call("DEL", configuration, "web", str(one.path))
                else:
                    host.collect(configuration)
                assert host.interfaces() == host.bridge_ports() == set()
                assert ports(scene) == []
                # Then it can be attached as if nothing had been.
                host.call("ADD", configuration, "web", str(one.path))
                host.call("DEL", configuration, "web", str(one.path))
    assert killed > 0


def slow_tool(directory: Path, name: str, word: str, seconds: float) -> Path:
    """A tool that is slow about what has a certain word; return the file that says it began.

    Beside it is another, ``ended``, once that was done.
    """
    real, began = shutil.which(name), directory / "began"
    assert real is not None
    script = directory / name
    script.write_text(
        f'#!/bin/sh\ncase "$*" in *{word}*) ;; *) exec {real} "$@";; esac\n'
        f"touch {began}\nsleep {seconds}\n"
        f'{real} "$@"\ncode=$?\ntouch {directory / "ended"}\nexit $code\n'
    )
    script.chmod(0o755)
    return began


def test_what_a_killed_add_still_does_is_waited_for(host: CniHost, tmp_path: Path) -> None:
    """The plugin is killed, but not the tool that is about to add the port to the bridge."""
    began = slow_tool(tmp_path, "ovs-vsctl", "add-port", 2)
    with containers(1) as (one,):
        process = host.start("ADD", host.configuration(), "web", str(one.path), tools=tmp_path)
        until(began.exists, "the tool to begin")
        process.kill()
        process.communicate()
        host.call("DEL", host.configuration(), "web", str(one.path))
        until((tmp_path / "ended").exists, "the tool to end")
        assert host.interfaces() == host.bridge_ports() == set()


def test_cleaning_up_has_a_time_of_its_own(host: CniHost, tmp_path: Path) -> None:
    """It begins when all time is over, and takes longer than what was left to be broken off."""
    slow_tool(tmp_path, "ovs-vsctl", "del-port", 6)
    with containers(1) as (one,):
        host.proxy.stall()
        try:
            configuration = host.configuration(timeout=5)
            process = host.start("ADD", configuration, "web", str(one.path), tools=tmp_path)
            until(lambda: "eth0" in one.ip("link"), "the interface")
            with pytest.raises(CniFailedError) as failed:
                answer_of(process)
            assert failed.value.code == 11
        finally:
            host.proxy.restore()
        assert host.interfaces() == host.bridge_ports() == set()
        host.call("DEL", host.configuration(), "web", str(one.path))


def test_an_interface_goes_even_if_the_bridge_does_not_answer(
    host: CniHost, tmp_path: Path
) -> None:
    broken = tmp_path / "ovs-vsctl"
    real = shutil.which("ovs-vsctl")
    broken.write_text(f'#!/bin/sh\ncase "$*" in *del-port*) exit 1;; esac\nexec {real} "$@"\n')
    broken.chmod(0o755)
    with containers(1) as (one,):
        host.call("ADD", host.configuration(), "web", str(one.path))
        process = host.start("DEL", host.configuration(), "web", str(one.path), tools=tmp_path)
        with pytest.raises(CniFailedError) as failed:
            answer_of(process)
        assert failed.value.code == 102
        assert host.interfaces() == set()
        host.call("DEL", host.configuration(), "web", str(one.path))


def test_a_runtime_that_ends_it_or_does_not_listen_gets_nothing(host: CniHost) -> None:
    with containers(1) as (one,):
        process = host.start("ADD", host.configuration(), "web", str(one.path))
        assert process.stdout is not None
        process.stdout.close()
        process.stdout = None
        process.communicate(timeout=60)
        assert process.returncode != 0
        assert "eth0" not in one.ip("link")

        host.proxy.stall()
        try:
            process = host.start("ADD", host.configuration(), "web", str(one.path))
            until(lambda: "eth0" in one.ip("link"), "the interface")
            process.send_signal(signal.SIGTERM)
            until(lambda: "eth0" not in one.ip("link"), "the interface to go")
        finally:
            host.proxy.restore()
        with pytest.raises(CniFailedError, match="ended"):
            answer_of(process)
        host.call("DEL", host.configuration(), "web", str(one.path))


def test_without_a_server_it_ends_in_time_and_leaves_nothing(host: CniHost) -> None:
    configuration = host.configuration(timeout=4)
    with containers(1) as (one,):
        host.proxy.cut()
        try:
            with pytest.raises(CniFailedError) as failed:
                host.call("ADD", configuration, "web", str(one.path))
            assert failed.value.code == 11
            with pytest.raises(CniFailedError) as failed:
                host.call("STATUS", configuration)
            assert failed.value.code == 50
        finally:
            host.proxy.restore()
        assert "eth0" not in one.ip("link")
        assert host.interfaces() == host.bridge_ports() == set()

        host.call("ADD", host.configuration(), "web", str(one.path))
        host.proxy.stall()
        try:
            with pytest.raises(CniFailedError) as failed:
                host.call("DEL", configuration, "web", str(one.path))
            assert failed.value.code == 11
            assert host.interfaces() == host.bridge_ports() == set()
        finally:
            host.proxy.restore()
        host.call("DEL", host.configuration(), "web", "")


def test_macvlan_takes_its_addresses_from_treadle(scene: Scene, hosts: dict[str, CniHost]) -> None:
    """Two hosts on one wire, their containers on it, past Open vSwitch."""
    ends = [hosts[name].hypervisor.namespace for name in ("hv1", "hv2")]
    ends[0].ip("link", "add", "nic", "type", "veth", "peer", "name", "nic", "netns", ends[1].name)
    for end in ends:
        end.ip("link", "set", "nic", "up")
    try:
        with containers(2) as (one, other):
            results = []
            for host, container in zip(hosts.values(), (one, other), strict=True):
                configuration = example(host, "macvlan", master="nic", cniVersion="1.1.0")
                result = host.call("ADD", configuration, "web", str(container.path))
                assert [each["name"] for each in result["interfaces"]] == ["eth0"]
                previous = {**configuration, "prevResult": result}
                host.call("CHECK", previous, "web", str(container.path))
                host.call("STATUS", configuration)
                results.append(result)
            assert len(ports(scene)) == 2
            assert addresses(results[0]) != addresses(results[1])
            assert pings(one, addresses(results[1])[0])
            # Whoever has the same path now, it isn't that attachment's interface.
            configuration = example(hosts["hv1"], "macvlan", master="nic")
            hosts["hv1"].call("DEL", configuration, "other", str(one.path))
            hosts["hv1"].call(
                "CHECK", {**configuration, "prevResult": results[0]}, "web", str(one.path)
            )
            # Nor is that a namespace which is only a file any more.
            hosts["hv1"].call("DEL", configuration, "other", __file__)
            for host, container in zip(hosts.values(), (one, other), strict=True):
                configuration = example(host, "macvlan", master="nic")
                host.call("DEL", configuration, "web", str(container.path))
                assert "eth0" not in container.ip("link")
    finally:
        ends[0].ip("link", "delete", "nic")
    scene.net.delete("/logical-switches/floor")


def test_two_adds_of_one_macvlan_make_one(scene: Scene, host: CniHost) -> None:
    inside = host.hypervisor.namespace
    inside.ip("link", "add", "nic", "type", "veth", "peer", "name", "nic_r")
    inside.ip("link", "set", "nic", "up")
    configuration = example(host, "macvlan", master="nic", cniVersion="1.1.0")
    try:
        with containers(1) as (one,):
            for _ in range(3):
                started = [host.start("ADD", configuration, "web", str(one.path)) for _ in range(3)]
                results, codes = [], []
                for process in started:
                    try:
                        results.append(answer_of(process))
                    except CniFailedError as error:
                        codes.append(error.code)
                assert (len(results), codes) == (1, [101, 101])
                previous = {**configuration, "prevResult": results[0]}
                host.call("CHECK", previous, "web", str(one.path))
                host.call("DEL", previous, "web", str(one.path))
                assert "eth0" not in one.ip("link")

            # A container may say of its interface what it wants, and gets nothing onto the host.
            host.call("ADD", configuration, "web", str(one.path))
            alias = json.loads(one.run("ip", "-j", "link", "show", "eth0"))[0]["ifalias"]
            before = inside.ip("-br", "link")
            one.ip("link", "set", "eth0", "alias", f"{alias} uplink")
            host.call("DEL", configuration, "web", str(one.path))
            assert inside.ip("-br", "link") == before
            one.ip("link", "delete", "eth0")

            # What was killed on its way into the container GC finds.
            host.call("ADD", configuration, "web", str(one.path))
            one.ip("link", "set", "eth0", "netns", inside.name, "name", "left")
            assert "left" in inside.ip("link")
            host.collect(configuration)
            assert "left" not in inside.ip("link")
    finally:
        inside.ip("link", "delete", "nic")
    scene.net.delete("/logical-switches/floor")


def test_a_device_of_the_host_moves_into_the_container(
    scene: Scene, hosts: dict[str, CniHost]
) -> None:
    """A pair of interfaces stands for a virtual function and its representor."""
    host, far = hosts["hv1"], hosts["hv2"]
    inside = host.hypervisor.namespace
    inside.ip("link", "add", "vf0", "type", "veth", "peer", "name", "vf0_r")
    configuration = example(
        host, "host-device", device="vf0", representor="vf0_r", cniVersion="1.1.0"
    )
    try:
        with containers(2) as (one, other):
            result = host.call("ADD", configuration, "web", str(one.path))
            assert [each["name"] for each in result["interfaces"]] == ["vf0_r", "eth0"]
            second = far.call("ADD", far.configuration(), "db", str(other.path))
            assert pings(one, addresses(second)[0])
            host.call("CHECK", {**configuration, "prevResult": result}, "web", str(one.path))
            far.call("DEL", far.configuration(), "db", "")
            host.call("DEL", configuration, "web", str(one.path))
            assert "vf0:" in inside.ip("link", "show", "vf0").replace("vf0@", "vf0:")
            assert "vf0_r" not in host.hypervisor.switch.vsctl("list-ports", "br-int")
            assert ports(scene) == []

            # The kernel takes devices out of namespaces that go, under the names they have there.
            for give_back in (
                lambda: host.call("DEL", configuration, "web", ""),
                lambda: host.collect(configuration),
            ):
                result = host.call("ADD", {**configuration, "mtu": 1400}, "web", str(one.path))
                assert result["interfaces"][1]["mtu"] == 1400
                assert "mtu 1400" in one.ip("link", "show", "eth0")
                one.ip("link", "set", "eth0", "netns", inside.name, "name", "eth7")
                give_back()
                assert "vf0@" in inside.ip("link", "show", "vf0")
                assert "alias" not in inside.ip("link", "show", "vf0")
                assert ports(scene) == []
    finally:
        inside.ip("link", "delete", "vf0_r")


def test_containers_of_one_host_and_the_host_itself(
    scene: Scene, hosts: dict[str, CniHost]
) -> None:
    host = hosts["hv1"]
    bridge = example(host, "bridge")
    with containers(2) as (one, other):
        for name, container in (("web", one), ("db", other)):
            host.call("ADD", bridge, name, str(container.path))
        assert pings(one, "10.23.0.3")
        assert "mtu 1500" in one.ip("link", "show", "eth0")
        for name in ("web", "db"):
            host.call("DEL", bridge, name, "")

        overlay, of_host = example(host, "overlay"), example(host, "host")
        inside = host.hypervisor.namespace
        web = host.call("ADD", overlay, "web", str(one.path))
        own = host.call("ADD", of_host, "host", str(inside.path), ifname="lan0")
        assert pings(inside, addresses(web)[0])
        assert pings(one, addresses(own)[0])
        host.call("DEL", overlay, "web", str(one.path))
        host.call("DEL", of_host, "host", str(inside.path), ifname="lan0")
        assert "lan0" not in inside.ip("link")
    scene.net.delete("/logical-switches/this-host")


def test_probes_and_nonsense_are_answered(host: CniHost) -> None:
    probe = host.start("VERSION", {"cniVersion": "0.4.0"}, "", "dummy", ifname="dummy")
    assert answer_of(probe) == {"cniVersion": "0.4.0", "supportedVersions": list(SUPPORTED)}
    with pytest.raises(CniFailedError) as failed:
        host.call("ADD", {"cniVersion": "9.9.9", "name": "lan"}, "web", "/run/netns/x")
    assert failed.value.code == 1
    with pytest.raises(CniFailedError) as failed:
        host.call("MELT", host.configuration())
    assert failed.value.code == 4


def test_a_container_without_ipv6_is_given_it(host: CniHost) -> None:
    with containers(1) as (one,):
        for place in ("all", "default"):
            one.run("sysctl", "-q", f"net.ipv6.conf.{place}.disable_ipv6=1")
        result = host.call("ADD", host.configuration(), "web", str(one.path))
        assert addresses(result)[1] in json.dumps(_addresses_of(one))
        host.call("DEL", host.configuration(), "web", "")


def _addresses_of(namespace: Namespace) -> Any:
    return json.loads(namespace.run("ip", "-j", "address", "show", "dev", "eth0"))


def test_a_token_of_one_project_is_enough(scene: Scene, host: CniHost, tmp_path: Path) -> None:
    scene.net.call("POST", "/port-groups", {"name": "web", "project": "acme"})
    wanted = {"name": "cni", "role": "operator", "project": "acme"}
    token = tmp_path / "token"
    token.write_text(scene.net.client.post("/v1/tokens", json=wanted).json()["token"])
    own = host.configuration(
        "acme", tokenFile=str(token), createSwitch={"subnet4": "10.6.0.0/24"}, portGroups=["web"]
    )
    with containers(1) as (one,):
        result = host.call("ADD", own, "web", str(one.path))
        (port,) = ports(scene)
        assert (port["project"], addresses(result)) == ("acme", ["10.6.0.2"])
        host.call("CHECK", {**own, "prevResult": result}, "web", str(one.path))
        host.call("STATUS", own)
        host.collect(own)
        assert ports(scene) == []

        # Another project's switch is there once it is shared.
        foreign = host.configuration("shared", tokenFile=str(token), switch="default/lan")
        with pytest.raises(CniFailedError, match="no logical switch"):
            host.call("ADD", foreign, "web", str(one.path))
        scene.net.call("PATCH", "/logical-switches/lan", {"shared": True})
        result = host.call("ADD", foreign, "web", str(one.path))
        assert result["ips"][0]["address"].startswith("10.9.0.")
        host.call("STATUS", foreign)
        assert result["ips"][0]["address"].endswith("/24")
        # What is there already is brought to what is asked for.
        one.ip("link", "delete", "eth0")
        host.call("ADD", foreign, "web", str(one.path))
        host.call("DEL", foreign, "web", str(one.path))
        token.write_text("wrong")
        with pytest.raises(CniFailedError, match="token"):
            host.call("ADD", own, "web", str(one.path))
    scene.net.call("PATCH", "/logical-switches/lan", {"shared": False})
    for path in ("/logical-switches/acme", "/port-groups/web"):
        assert scene.net.client.delete(f"/v1{path}?project=acme").is_success
