"""Plumbing in namespaces of the test's own, with the real ``ip`` and ``ovs-vsctl``."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.testbed.namespace import Namespace
from cli.testbed.wait import until
from integrations.deadline import Deadline, TimeLimitError
from integrations.host import bridge, links
from integrations.host.commands import run
from integrations.host.errors import (
    CommandFailedError,
    HostError,
    InterfaceTakenError,
    MissingNamespaceError,
    MissingToolError,
)
from integrations.host.links import Route
from tests.system.agent.private_switch import PrivateSwitch

pytestmark = pytest.mark.system


def within() -> Deadline:
    return Deadline(20)


@pytest.fixture
def namespaces() -> Iterator[tuple[Namespace, Namespace]]:
    """A host and a container."""
    tag = secrets.token_hex(3)
    made = Namespace(f"h{tag}"), Namespace(f"c{tag}")
    for namespace in made:
        namespace.create()
    yield made
    for namespace in made:
        namespace.delete()


def test_a_veth_is_made_once_and_goes_whole(namespaces: tuple[Namespace, Namespace]) -> None:
    host, container = namespaces
    inside = str(container.path)

    def make() -> None:
        links.make_veth("veth0", "eth0", within(), namespace=inside, mtu=1400, alias="it's ü {x}")

    host.call(make)
    first = host.call(lambda: links.find_link("veth0", within()))
    host.call(make)
    assert host.call(lambda: links.find_link("veth0", within())) == first
    assert first is not None
    assert first.up
    assert first.mtu == 1400
    assert first.alias == "it's ü {x}"
    eth0 = links.find_link("eth0", within(), namespace=inside)
    assert eth0 is not None
    assert (eth0.kind, eth0.up, eth0.mtu) == ("veth", False, 1400)
    assert host.call(lambda: links.remove_link("veth0", within()))
    assert not host.call(lambda: links.remove_link("veth0", within()))
    assert links.find_link("eth0", within(), namespace=inside) is None


def test_a_veth_may_have_both_ends_here(namespaces: tuple[Namespace, Namespace]) -> None:
    host, _ = namespaces
    for _ in range(2):
        host.call(lambda: links.make_veth("veth0", "veth1", within(), namespace=None))
    names = {link.name for link in host.call(lambda: links.list_links(within()))}
    assert names == {"lo", "veth0", "veth1"}


def test_what_is_in_the_way_is_named_or_replaced(namespaces: tuple[Namespace, Namespace]) -> None:
    host, container = namespaces
    inside = str(container.path)
    host.ip("link", "add", "veth0", "type", "veth", "peer", "name", "other")
    host.call(lambda: links.make_veth("veth0", "eth0", within(), namespace=inside))
    assert host.call(lambda: links.find_link("other", within())) is None
    with pytest.raises(InterfaceTakenError, match="eth0"):
        host.call(lambda: links.make_veth("veth1", "eth0", within(), namespace=inside))
    assert host.call(lambda: links.find_link("veth1", within())) is None
    assert host.call(lambda: links.find_link("veth0", within())) is not None


def test_addresses_and_routes_are_as_asked(namespaces: tuple[Namespace, Namespace]) -> None:
    host, container = namespaces
    inside = str(container.path)
    host.call(lambda: links.make_veth("veth0", "eth0", within(), namespace=inside))
    routes = [
        Route("0.0.0.0/0", "10.0.0.1", mtu=1300, priority=7),
        Route("10.9.0.0/16"),
        Route("10.8.0.1/32", "10.0.0.1"),
        Route("::/0", "fd00::1", priority=1024),
    ]
    for _ in range(2):
        links.configure(
            "eth0",
            within(),
            namespace=inside,
            mac="02:00:00:00:00:01",
            mtu=1400,
            addresses=["10.0.0.2/24", "fd00::2/64"],
            routes=routes,
        )
    link = links.find_link("eth0", within(), namespace=inside)
    assert link is not None
    assert (link.mac, link.mtu, link.up) == ("02:00:00:00:00:01", 1400, True)
    assert link.addresses == ("10.0.0.2/24", "fd00::2/64")
    assert set(routes) <= set(links.list_routes("eth0", within(), namespace=inside))
    assert links.list_routes("eth0", within(), namespace=inside, table=9) == []
    links.fill_in_checksums("eth0", within(), namespace=inside)
    container.run("sysctl", "-q", "net.ipv6.conf.eth0.disable_ipv6=1")
    with pytest.raises(CommandFailedError):
        links.configure("eth0", within(), namespace=inside, addresses=["fd00::3/64"])
    links.allow_ipv6("eth0", within(), namespace=inside)
    links.configure("eth0", within(), namespace=inside, addresses=["fd00::3/64"])


def test_a_macvlan_and_a_device_are_moved_into_a_namespace(
    namespaces: tuple[Namespace, Namespace],
) -> None:
    host, container = namespaces
    inside = str(container.path)
    host.ip("link", "add", "nic", "type", "veth", "peer", "name", "wire")

    def make() -> None:
        links.make_macvlan(
            "nic", "net1", within(), namespace=inside, mode="bridge", temporary_name="tmp0"
        )

    host.call(make)
    macvlan = links.find_link("net1", within(), namespace=inside)
    assert macvlan is not None
    assert macvlan.kind == "macvlan"
    with pytest.raises(InterfaceTakenError):
        host.call(make)
    host.call(
        lambda: links.move_link("wire", "net2", within(), namespace=None, into=inside, alias="of x")
    )
    assert links.find_link("net2", within(), namespace=inside) is not None
    moved = links.find_link("net2", within(), namespace=inside)
    assert moved is not None
    assert moved.alias == "of x"
    links.move_link("net2", "wire", within(), namespace=inside, into=str(host.path), alias="")
    back = host.call(lambda: links.find_link("wire", within()))
    assert back is not None
    assert back.alias == ""
    host.call(lambda: links.rename_link("wire", "wire2", within()))
    assert host.call(lambda: links.find_link("wire2", within())) is not None


def test_names_that_mean_something_to_ip_are_names(
    namespaces: tuple[Namespace, Namespace],
) -> None:
    """A user of a cluster may choose the name of an interface."""
    host, container = namespaces
    inside = str(container.path)
    for name in ("group", "up", "dev", "type", "name"):
        host.call(
            lambda name=name: links.make_veth("veth0", name, within(), namespace=inside)  # type: ignore[misc]
        )
        links.configure(name, within(), namespace=inside, mac="0a:00:00:00:00:01", mtu=1400)
        link = links.find_link(name, within(), namespace=inside)
        assert link is not None
        assert (link.up, link.mac, link.mtu) == (True, "0a:00:00:00:00:01", 1400)
        assert links.remove_link(name, within(), namespace=inside)


def test_failures_tell_what_failed(namespaces: tuple[Namespace, Namespace]) -> None:
    _, container = namespaces
    inside = str(container.path)
    with pytest.raises(CommandFailedError, match=r"address replace 10\.0\.0\.2/24 dev lo9"):
        links.batch(["link set lo up", "address replace 10.0.0.2/24 dev lo9"], within())
    with pytest.raises(MissingNamespaceError):
        links.find_link("eth0", within(), namespace="/run/netns/none-such")
    with pytest.raises(MissingNamespaceError):
        # What is left where a namespace was bound to a file.
        links.find_link("eth0", within(), namespace=__file__)
    with pytest.raises(MissingToolError):
        run(["no-such-tool"], within())
    with pytest.raises(TimeLimitError):
        run(["sleep", "60"], Deadline(0.2))
    for name in ("", "a b", "a/b", "..", "x" * 16, "-n", "a\nb"):
        with pytest.raises(HostError, match="can't be the name"):
            links.find_link(name, within(), namespace=inside)
    for path in ("relative", "/a b", "/a\nlink delete lo", "/a'b"):
        with pytest.raises(HostError, match="can't be the path"):
            links.make_veth("veth0", "eth0", within(), namespace=path)


def test_ports_of_the_bridge_are_made_found_and_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    switch = PrivateSwitch(tmp_path / "ovs")
    switch.start({"system-id": "hv7", "treadle-bridge": "br-x"})
    monkeypatch.setenv("OVS_RUNDIR", str(switch.directory))
    try:
        switch.vsctl("add-br", "br-int", "--", "set", "bridge", "br-int", "datapath_type=dummy")
        odd = 'a "quoted" = \\ ü'
        for _ in range(2):
            bridge.add_port("br-int", "p1", "id-1", "docker", within())
            bridge.add_port(
                "br-int", "p2", "id-2", "cni", within(), external_ids={"network": odd}, wait=False
            )
        assert [port.name for port in bridge.find_ports("docker", within())] == ["p1"]
        (port,) = bridge.find_ports("cni", within(), {"network": odd})
        assert (port.name, port.iface_id, port.external_ids["network"]) == ("p2", "id-2", odd)
        assert bridge.find_ports("cni", within(), {"network": "other"}) == []
        # An interface without a device has a reason.
        until(lambda: _known(bridge.find_port("p1", within())), "the switch to know p1")
        facts = bridge.switch_facts(within())
        assert (facts.system_id, facts.integration_bridge) == ("hv7", "br-x")
        assert facts.datapath_types == {"br-int": "dummy"}
        with pytest.raises(TimeLimitError, match="p2"):
            bridge.wait_installed("p2", Deadline(1))
        switch.vsctl("set", "Interface", "p2", "external_ids:treadle-installed=true")
        bridge.wait_installed("p2", within())
        with pytest.raises(CommandFailedError, match="br-none"):
            bridge.add_port("br-none", "p3", "id-3", "cni", within())
        for _ in range(2):
            bridge.remove_port("br-int", "p1", within())
        assert bridge.find_port("p1", within()) is None
    finally:
        switch.stop()
    with pytest.raises(CommandFailedError, match="ovs-vsctl"):
        bridge.find_ports("cni", within())


def _known(port: bridge.BridgePort | None) -> bool:
    return port is not None and port.ofport is not None
