"""Docker's networks on Treadle by kuryr-libnetwork, unmodified, on two hosts.

Kuryr finds what it made by tags where the Neutron API offers these, and by names elsewhere. It
has faults of its own: with tags no container gets addresses of both families, with names what
was there before goes with the Docker network that used it.
"""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.testbed.wait import until
from tests.compat.dockerd import ContainerHost
from tests.compat.environments import ROOT, environment
from tests.compat.kuryr.cloud import Cloud, cloud_with_kuryr
from tests.compat.openstack.client import openstack
from tests.documentation.commands import commands, run, trouble
from tests.faults.proxy import Proxy
from tests.system.conftest import Scene

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

MODES = {"tags": (), "names": ("standard-attr-tag",)}
KURYR = ("--driver", "kuryr", "--ipam-driver", "kuryr")


@pytest.fixture(scope="module", params=MODES)
def cloud(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cloud]:
    with cloud_with_kuryr(tmp_path_factory, MODES[request.param]) as cloud:
        yield cloud


@pytest.fixture
def scene(cloud: Cloud) -> Scene:
    """So that the state of servers, agents and switches is compared after each test."""
    return cloud.scene


@pytest.fixture(autouse=True)
def _nothing_left_behind(cloud: Cloud) -> Iterator[None]:
    before = cloud.remains()
    yield
    assert cloud.remains() == before


tags_only = pytest.mark.parametrize("cloud", ["tags"], indirect=True)
names_only = pytest.mark.parametrize("cloud", ["names"], indirect=True)


def create_network(host: ContainerHost, name: str, prefix: str, *options: str) -> str:
    """A Docker network of Kuryr's; its id."""
    addresses = ("--subnet", f"{prefix}.0/24", "--gateway", f"{prefix}.1")
    return host.docker("network", "create", *KURYR, *addresses, *options, name)


def remove(host: ContainerHost, *containers: str, network: str) -> None:
    host.docker("rm", "--force", *containers)
    host.docker("network", "rm", network)


def test_a_network_and_its_containers(cloud: Cloud) -> None:
    host = cloud.hosts["hv1"]
    network_id = create_network(host, "blue", "10.30.0")
    host.start_container("c1", "blue")
    given = host.start_container(
        "c2", "blue", "--ip", "10.30.0.77", "--mac-address", "02:42:0a:1e:00:4d"
    )
    assert (given["IPAddress"], given["MacAddress"]) == ("10.30.0.77", "02:42:0a:1e:00:4d")
    assert host.pings("c1", "10.30.0.77")
    for container in ("c1", "c2"):
        port = cloud.port_of("hv1", container, "blue")
        endpoint = host.attachment(container, "blue")["EndpointID"]
        assert (port["status"], port["device_owner"]) == ("ACTIVE", "compute:kuryr")
        assert (port["device_id"], port["binding:host_id"]) == (endpoint, host.name)
        assert port["binding:vif_type"] == "ovs"
    agents = {each["host"]: each["alive"] for each in cloud.objects("agents")}
    assert agents == {each.name: True for each in cloud.hosts.values()}
    (network,) = cloud.objects("networks")
    assert network["name"] in (network_id, f"kuryr-net-{network_id[:8]}")
    remove(host, "c1", "c2", network="blue")


def test_networks_come_and_go_while_a_container_runs(cloud: Cloud) -> None:
    host = cloud.hosts["hv1"]
    create_network(host, "blue", "10.30.0")
    create_network(host, "red", "10.31.0")
    host.start_container("c1", "blue")
    there = host.start_container("c2", "red")["IPAddress"]
    assert not host.pings("c1", there, seconds=1)
    host.docker("network", "connect", "red", "c1")
    assert host.pings("c1", there)
    host.docker("network", "disconnect", "red", "c1")
    assert not host.pings("c1", there, seconds=1)
    assert len(cloud.objects("ports")) == 2
    host.docker("restart", "c1")
    host.docker("restart", "c2")
    assert len(cloud.objects("ports")) == 2
    host.docker("network", "connect", "blue", "c2")
    assert host.pings("c1", host.attachment("c2", "blue")["IPAddress"])
    host.docker("network", "disconnect", "blue", "c2")
    remove(host, "c1", network="blue")
    remove(host, "c2", network="red")


def test_kuryr_is_restarted(cloud: Cloud) -> None:
    host = cloud.hosts["hv1"]
    create_network(host, "blue", "10.30.0")
    host.start_container("c1", "blue")
    cloud.kuryrs["hv1"].stop()
    cloud.kuryrs["hv1"].start()
    there = host.start_container("c2", "blue")["IPAddress"]
    assert host.pings("c1", there)
    remove(host, "c1", "c2", network="blue")


@tags_only
def test_openstack_shows_the_hosts_as_agents(cloud: Cloud) -> None:
    name = cloud.hosts["hv1"].name
    where = ("--os-auth-type", "none", "--os-endpoint", str(cloud.neutron.base_url).rstrip("/"))
    with openstack(*where) as client:
        rows = client.json("network agent list")
        assert {row["Host"] for row in rows} == {host.name for host in cloud.hosts.values()}
        (row,) = client.json(f"network agent list --host {name}")
        assert (row["Alive"], row["Availability Zone"]) == (True, "nova")
        shown = client.json(f"network agent show {row['ID']}")
        assert (shown["id"], shown["host"], shown["alive"]) == (row["ID"], name, True)
        (zone, *_) = client.json("availability zone list --network")
        assert (zone["Zone Name"], zone["Zone Status"]) == ("nova", "available")


def test_dockerd_is_killed_while_it_starts_a_container(cloud: Cloud) -> None:
    host = cloud.hosts["hv1"]
    create_network(host, "blue", "10.30.0")
    options = ("--detach", "--name", "c1", "--network", "blue")
    run_container = ["/usr/bin/docker", "run", *options, "busybox", "sleep", "1000000"]
    starting = host.spawn("docker run", run_container, host.directory / "run.log")
    until(lambda: cloud.objects("ports"), "the port of the container", 30)
    host.dockerd.stop(signal.SIGKILL)
    starting.stop()
    host.start_dockerd()

    # Docker keeps an endpoint in memory until all of it is there: it asks Kuryr for no end of
    # this one, and Kuryr goes over nothing by itself. What docs/kuryr.md says takes it away.
    endpoints = host.inspect("network", "inspect", "blue")["Containers"]
    assert endpoints == {}
    for port in cloud.objects("ports"):
        cloud.delete("ports", port["id"])
        interface = f"tap{port['id'][:11]}"
        host.run("ovs-vsctl", "--if-exists", "del-port", "br-int", interface)
        host.run("ip", "link", "delete", interface, check=False)

    # It has to be so before Docker's network goes, which Kuryr couldn't remove otherwise.
    host.docker("rm", "--force", "c1")
    there = host.start_container("c2", "blue")["IPAddress"]
    host.start_container("c3", "blue")
    assert host.pings("c3", there)
    remove(host, "c2", "c3", network="blue")


def test_a_host_that_loses_power_comes_back(cloud: Cloud) -> None:
    host = cloud.hosts["hv1"]
    create_network(host, "blue", "10.30.0")
    address = ("--restart", "always", "--ip", "10.30.0.9")
    host.start_container("c1", "blue", *address)
    host.start_container("c2", "blue")
    host.crash()
    host.boot()
    cloud.kuryrs["hv1"].start()
    host.start_dockerd()
    until(lambda: host.inspect("inspect", "c1")["State"]["Running"], "the container", 60)
    (port,) = cloud.objects("ports")
    assert [each["ip_address"] for each in port["fixed_ips"]] == ["10.30.0.9"]
    host.docker("start", "c2")
    assert host.pings("c2", "10.30.0.9")
    remove(host, "c1", "c2", network="blue")


@names_only
def test_addresses_of_both_families(cloud: Cloud) -> None:
    host = cloud.hosts["hv1"]
    more = ("--ipv6", "--subnet", "fd00:30::/64", "--gateway", "fd00:30::1")
    create_network(host, "blue", "10.30.0", *more)
    host.start_container("c1", "blue")
    there = host.start_container("c2", "blue")
    assert host.pings("c1", there["IPAddress"])
    assert host.pings("c1", there["GlobalIPv6Address"])
    assert len(cloud.port_of("hv1", "c2", "blue")["fixed_ips"]) == 2
    remove(host, "c1", "c2", network="blue")


@names_only
def test_exposed_ports_are_open_to_all(cloud: Cloud) -> None:
    host = cloud.hosts["hv1"]
    create_network(host, "blue", "10.30.0")
    (network,) = cloud.objects("networks")
    group = cloud.post("security-groups", "security_group", name="strangers")
    with cloud.vm(network["id"], "hv2", security_groups=[group["id"]]) as stranger:
        host.start_container("c1", "blue", "--expose", "80")
        port = cloud.port_of("hv1", "c1", "blue")
        names = {each["id"]: each["name"] for each in cloud.objects("security-groups")}
        groups = [names[each] for each in port["security_groups"]]
        assert sorted(groups) == sorted(["default", f"{port['id']}-exposed_ports"])
        address = port["fixed_ips"][0]["ip_address"]
        # No one listens there: that the container says so is an answer.
        assert stranger.tcp_outcome(address, 80) == "refused"
        assert stranger.tcp_outcome(address, 81, timeout=1) == "timeout"
        host.docker("rm", "--force", "c1")
    cloud.delete("security-groups", group["id"])
    host.docker("network", "rm", "blue")


@tags_only
def test_containers_of_two_hosts_on_one_network(cloud: Cloud) -> None:
    network = cloud.post("networks", "network", name="shared-by-hosts")
    values = {"network_id": network["id"], "ip_version": 4, "cidr": "10.30.0.0/24"}
    subnet = cloud.post("subnets", "subnet", **values)
    given = f"neutron.net.uuid={network['id']}"
    here, there = cloud.hosts["hv1"], cloud.hosts["hv2"]
    for host in (here, there):
        create_network(host, "blue", "10.30.0", "--opt", given, "--ipam-opt", given)
    first = here.start_container("c1", "blue")["IPAddress"]
    second = there.start_container("c2", "blue")["IPAddress"]
    assert first != second
    assert here.pings("c1", second)
    assert there.pings("c2", first)

    # Members of the default group are open to each other; others to no one.
    port = cloud.port_of("hv2", "c2", "blue")
    group = cloud.post("security-groups", "security_group", name="closed")
    update(cloud, port["id"], security_groups=[group["id"]])
    until(lambda: not here.pings("c1", second, seconds=1), "the group closes it", 30)
    rule = {"security_group_id": group["id"], "direction": "ingress", "protocol": "icmp"}
    cloud.post("security-group-rules", "security_group_rule", **rule)
    cloud.scene.settle()
    assert here.pings("c1", second)

    # The networks at last: both hosts' Kuryrs use one pool of addresses, and the first that
    # removes its network takes it away.
    here.docker("rm", "--force", "c1")
    there.docker("rm", "--force", "c2")
    for host in (here, there):
        host.docker("network", "rm", "blue")
    cloud.delete("security-groups", group["id"])
    assert [each["id"] for each in cloud.objects("networks")] == [network["id"]]
    assert [each["id"] for each in cloud.objects("subnets")] == [subnet["id"]]
    cloud.delete("networks", network["id"])


@tags_only
def test_a_port_that_was_there_stays(cloud: Cloud) -> None:
    host = cloud.hosts["hv1"]
    create_network(host, "blue", "10.30.0")
    (network,), (subnet,) = cloud.objects("networks"), cloud.objects("subnets")
    fixed_ip = {"subnet_id": subnet["id"], "ip_address": "10.30.0.99"}
    port = cloud.post("ports", "port", network_id=network["id"], fixed_ips=[fixed_ip])
    host.start_container("c1", "blue", "--ip", "10.30.0.99")
    assert cloud.port_of("hv1", "c1", "blue")["id"] == port["id"]
    host.docker("rm", "--force", "c1")
    (kept,) = cloud.objects("ports")
    assert (kept["id"], kept["device_owner"], kept["binding:host_id"]) == (port["id"], "", "")
    assert kept["tags"] == []
    cloud.delete("ports", port["id"])
    host.docker("network", "rm", "blue")


def update(cloud: Cloud, port_id: str, **values: object) -> None:
    answer = cloud.neutron.put(f"/v2.0/ports/{port_id}", json={"port": values})
    assert answer.status_code == 200, answer.text
    cloud.scene.settle()


@tags_only
def test_the_page_of_the_documentation(cloud: Cloud, tmp_path: Path) -> None:
    host = cloud.hosts["hv2"]
    cloud.kuryrs["hv2"].stop()  # the page has its own
    treadle = cloud.scene.lab.server.api_port
    api = Proxy(treadle, namespace=host.hypervisor.namespace, port=6680)
    installed = environment("kuryr-libnetwork").directory
    host.run("mount", "-t", "tmpfs", "tmpfs", "/opt")
    host.run("mkdir", "/opt/kuryr")
    for part in ("bin", "libexec", "lib"):
        host.run("ln", "-s", str(installed / part), f"/opt/kuryr/{part}")
    settings = {
        **os.environ,
        **host.environment,
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin:/usr/sbin:/sbin",
    }
    try:
        for command in commands(ROOT / "docs/kuryr.md"):
            done = run(command, settings, tmp_path, host.argv(directory=tmp_path))
            assert trouble(command, done) == ""
    finally:
        stop = ("start-stop-daemon", "--stop", "--retry", "TERM/10/KILL/5")
        host.run(*stop, "--pidfile", "/opt/kuryr/kuryr.pid")
        host.run("umount", "/opt")
        api.close()
        cloud.kuryrs["hv2"].start()
