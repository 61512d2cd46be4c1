"""Docker itself on Treadle's networks: real daemons on two hosts, real packets between them."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.testbed.errors import CommandError
from cli.testbed.wait import until
from tests.compat.docker_driver import DockerLab, docker_lab
from tests.compat.dockerd import ContainerHost
from tests.documentation.commands import blocks, commands, run, trouble
from tests.documentation.sandbox import ROOT

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

BOTH = ("-d", "treadle", "--ipam-driver", "treadle")


@pytest.fixture(scope="module")
def module_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerLab]:
    with docker_lab(tmp_path_factory) as lab:
        yield lab


@pytest.fixture
def lab(module_lab: DockerLab) -> Iterator[DockerLab]:
    """The lab; after a test containers and networks are removed, and nothing of them is left."""
    yield module_lab
    module_lab.remove_all()
    module_lab.wait_until_nothing_remains()
    module_lab.scene.check()


@pytest.fixture
def one(lab: DockerLab) -> ContainerHost:
    return lab.hosts["hv1"]


@pytest.fixture
def two(lab: DockerLab) -> ContainerHost:
    return lab.hosts["hv2"]


def create(host: ContainerHost, name: str, *options: str) -> None:
    host.docker("network", "create", *BOTH, *options, name)


def test_containers_on_different_hosts_reach_each_other(
    one: ContainerHost, two: ContainerHost
) -> None:
    options = ("-o", "treadle.switch=web", "--subnet", "10.30.0.0/24", "--gateway", "10.30.0.1")
    for host in (one, two):
        create(host, "net", *options)
    first = one.start_container("c1", "net")
    second = two.start_container("c2", "net")
    assert {first["IPAddress"], second["IPAddress"]} == {"10.30.0.2", "10.30.0.3"}
    assert first["Gateway"] == "10.30.0.1"
    assert one.pings("c1", second["IPAddress"])
    two.docker("exec", "--detach", "c2", "nc", "-l", "-p", "80", "-e", "/bin/echo", "served")
    fetch = ("exec", "c1", "nc", "-w", "3", second["IPAddress"], "80")
    until(lambda: _output(one, *fetch) == "served", "a service in the other container")
    assert one.docker("exec", "c1", "ip", "-o", "link", "show", "eth0").count("mtu 1442") == 1


def _output(host: ContainerHost, *arguments: str) -> str:
    """What a command of Docker's prints; empty if it fails."""
    try:
        return host.docker(*arguments)
    except CommandError:
        return ""


def test_both_families_and_chosen_addresses(one: ContainerHost, two: ContainerHost) -> None:
    four = ("--subnet", "10.31.0.0/24", "--gateway", "10.31.0.1")
    six = ("--ipv6", "--subnet", "fd00:31::/64", "--gateway", "fd00:31::1")
    for host in (one, two):
        create(host, "net", *four, *six, "--ipam-opt", "treadle.switch=dual")
    mac = "02:42:00:31:00:07"
    chosen = ("--ip", "10.31.0.7", "--ip6", "fd00:31::77", "--mac-address", mac)
    first = one.start_container("c1", "net", *chosen)
    assert (first["IPAddress"], first["GlobalIPv6Address"]) == ("10.31.0.7", "fd00:31::77")
    assert first["MacAddress"] == mac
    second = two.start_container("c2", "net")
    assert second["GlobalIPv6Address"].startswith("fd00:31::")
    assert two.pings("c2", "10.31.0.7")
    assert two.pings("c2", "fd00:31::77")
    assert one.pings("c1", second["GlobalIPv6Address"])
    with pytest.raises(CommandError, match=r"10\.31\.0\.7.*taken"):
        two.start_container("c3", "net", "--ip", "10.31.0.7")


def test_acls_of_the_profile_hold_from_the_first_packet(
    lab: DockerLab, one: ContainerHost, two: ContainerHost
) -> None:
    net = lab.scene.net
    for group in ("closed", "friends"):
        net.port_group(group)
    net.acl("pg:closed", "to-lport", 100, "outport == @closed && ip", "drop")
    friendly = "outport == @closed && ip4.src == $friends_ip4"
    net.acl("pg:closed", "to-lport", 200, friendly, "allow-related")
    options = ("-o", "treadle.switch=web", "-o", "treadle.acl-profile=closed")
    for host in (one, two):
        create(host, "net", "--subnet", "10.32.0.0/24", "--gateway", "10.32.0.1", *options)
    guarded = one.start_container("c1", "net")
    two.start_container("c2", "net")
    two.start_container("c3", "name=net,driver-opt=treadle.acl-profile=friends")
    assert two.pings("c3", guarded["IPAddress"])
    assert not two.pings("c2", guarded["IPAddress"], seconds=2)
    members = net.get("/port-groups/closed")["ports"]
    assert len(members) == 3
    one.docker("rm", "--force", "c1")
    assert len(net.get("/port-groups/closed")["ports"]) == 2


def test_connecting_restarting_and_disconnecting(one: ContainerHost, two: ContainerHost) -> None:
    for name, subnet in (("left", "10.33.1"), ("right", "10.33.2")):
        for host in (one, two):
            options = ("--subnet", f"{subnet}.0/24", "--gateway", f"{subnet}.1")
            create(host, name, *options, "-o", f"treadle.switch={name}")
    one.start_container("c1", "left")
    far = two.start_container("c2", "right")
    assert not one.pings("c1", far["IPAddress"], seconds=1)
    one.docker("network", "connect", "right", "c1")
    assert one.pings("c1", far["IPAddress"])
    one.docker("restart", "c1")
    assert one.pings("c1", far["IPAddress"])
    one.docker("network", "disconnect", "right", "c1")
    assert not one.pings("c1", far["IPAddress"], seconds=1)
    assert one.docker("exec", "c1", "ip", "-o", "link").count(": eth") == 1


def test_networks_of_one_router_reach_each_other(one: ContainerHost, two: ContainerHost) -> None:
    for host, name, subnet in ((one, "left", "10.34.1"), (two, "right", "10.34.2")):
        options = ("--subnet", f"{subnet}.0/24", "--gateway", f"{subnet}.1")
        create(host, name, *options, "-o", "treadle.router=edge")
    one.start_container("c1", "left")
    far = two.start_container("c2", "right")
    assert one.pings("c1", far["IPAddress"])
    assert one.pings("c1", "10.34.1.1")


def test_dockers_own_addresses(lab: DockerLab, one: ContainerHost, two: ContainerHost) -> None:
    lab.scene.net.switch("own")
    for host, part in ((one, "10.35.0.0/25"), (two, "10.35.0.128/25")):
        addresses = ("--subnet", "10.35.0.0/24", "--ip-range", part, "--gateway", "10.35.0.1")
        options = ("-o", "treadle.switch=own", *addresses)
        host.docker("network", "create", "-d", "treadle", *options, "net")
    one.start_container("c1", "net")
    far = two.start_container("c2", "net")
    assert one.pings("c1", far["IPAddress"])
    lab.remove_all()
    assert lab.get("/logical-switches/own")["name"] == "own"
    lab.scene.net.delete("/logical-switches/own")


def test_published_ports_are_refused_plainly(one: ContainerHost) -> None:
    create(one, "net", "--subnet", "10.36.0.0/24", "--gateway", "10.36.0.1")
    with pytest.raises(CommandError, match="come with load balancers"):
        one.start_container("c1", "net", "--publish", "8080:80")
    one.docker("rm", "c1")
    one.start_container("c1", "net", "--expose", "80")


def test_what_cannot_be_is_told_to_the_user(one: ContainerHost) -> None:
    for options, told in (
        (("--subnet", "10.37.0.0/24", "-o", "treadle.acl-profile=nobody"), "port group nobody"),
        (("--subnet", "10.37.0.0/24", "-o", "treadle.colour=red"), "no option treadle.colour"),
        (("--ipam-opt", "treadle.switch=nowhere"), "no switch nowhere"),
        (("--subnet", "10.37.0.0/31"), "/30 is the smallest"),
    ):
        with pytest.raises(CommandError, match=told):
            create(one, "net", *options)


def test_a_killed_dockerd_leaves_nothing(lab: DockerLab, one: ContainerHost) -> None:
    create(one, "net", "--subnet", "10.38.0.0/24", "--gateway", "10.38.0.1")
    one.start_container("c0", "net")
    started = lab.get("/status")["revision"]
    starts = [threading.Thread(target=_try_to_start, args=(one, f"c{i}")) for i in range(1, 4)]
    for start in starts:
        start.start()
    # In the middle: addresses are claimed, and endpoints about to be made.
    until(lambda: lab.get("/status")["revision"] >= started + 3, "a port of a container")
    one.dockerd.stop(signal.SIGKILL)
    for start in starts:
        start.join()
    one.start_dockerd()
    running = one.docker("ps", "--quiet").split()
    until(lambda: len(lab.endpoints()) == len(running), "the end of what is left over", 30)
    assert one.start_container("fresh", "net")["IPAddress"]


def _try_to_start(host: ContainerHost, name: str) -> None:
    try:
        host.start_container(name, "net")
    except (CommandError, IndexError):
        return  # that is what the daemon's end is for


def test_a_host_that_loses_power_comes_back(lab: DockerLab, one: ContainerHost) -> None:
    create(one, "net", "--subnet", "10.39.0.0/24", "--gateway", "10.39.0.1")
    before = one.start_container("c1", "net", "--restart", "always", "--ip", "10.39.0.9")
    one.start_container("c2", "net")
    one.crash()
    lab.drivers.pop("hv1")
    one.boot()
    lab.start_driver("hv1")
    one.start_dockerd()
    until(lambda: one.inspect("inspect", "c1")["State"]["Running"], "the container", 30)
    until(lambda: len(lab.endpoints()) == 1, "the end of what is left over", 30)
    assert one.attachment("c1", "net")["IPAddress"] == before["IPAddress"]


def test_a_restarted_driver_goes_on(lab: DockerLab, one: ContainerHost, two: ContainerHost) -> None:
    for host in (one, two):
        addresses = ("--subnet", "10.40.0.0/24", "--gateway", "10.40.0.1")
        create(host, "net", *addresses, "-o", "treadle.switch=web")
    one.start_container("c1", "net")
    for number in (signal.SIGTERM, signal.SIGKILL):
        lab.stop_driver("hv1", number)
        lab.start_driver("hv1")
        far = two.start_container(f"far{number}", "net")
        assert one.pings("c1", far["IPAddress"])
        assert one.start_container(f"near{number}", "net")["IPAddress"]
    one.docker("rm", "--force", "c1")


def test_while_the_server_is_away(lab: DockerLab, one: ContainerHost) -> None:
    create(one, "net", "--subnet", "10.41.0.0/24", "--gateway", "10.41.0.1")
    one.start_container("c1", "net")
    one.start_container("c2", "net")
    lab.proxies["hv1"].cut()
    try:
        with pytest.raises(CommandError, match=r"127\.0\.0\.1"):
            one.start_container("c3", "net")
        one.docker("rm", "--force", "c1")
    finally:
        lab.proxies["hv1"].restore()
    assert lab.status("hv1")["counts"]["failures of IpamDriver.RequestAddress"] == 1
    until(lambda: len(lab.endpoints()) == 1, "the end of what is left over", 30)
    assert one.start_container("c4", "net")["IPAddress"]
    until(lambda: lab.status("hv1")["degraded"] == {}, "a driver that is well again")


def test_the_page_of_the_documentation(one: ContainerHost, two: ContainerHost) -> None:
    """Its commands work as printed, each on the hosts that the line before it names."""
    page = ROOT / "docs/docker.md"
    blocks_of_hosts = {block.line: block.note for block in blocks(page)}
    troubles = []
    for command in commands(page):
        note = blocks_of_hosts[max(line for line in blocks_of_hosts if line < command.line)]
        both = "each of two hosts" in note or "each host" in note
        for host in (one, two) if both else (two,) if "other host" in note else (one,):
            environment = {
                **os.environ,
                **host.environment,
                "PATH": f"{Path(sys.executable).parent}:/usr/bin:{os.environ['PATH']}",
            }
            done = run(command, environment, ROOT, host.argv(directory=ROOT))
            troubles.append(trouble(command, done))
    assert list(filter(None, troubles)) == []
    assert len(troubles) > 10
