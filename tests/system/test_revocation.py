"""A connection ends when the ACL that let it in is gone, in whichever direction it still speaks."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from cli.testbed.wait import until
from tests.system.conftest import Scene

pytestmark = pytest.mark.system

IP = {"cl": "10.3.1.11", "sv": "10.3.1.12", "by": "10.3.1.13"}
"""Client (hv1), server (hv2), and a bystander (hv1) whose connection must go on."""


@pytest.fixture(scope="module", autouse=True)
def _network(scene: Scene) -> None:
    net = scene.net
    net.switch("rev")
    for number, (name, address) in enumerate(IP.items(), 1):
        net.port("rev", name, f"0a:00:00:00:30:0{number} {address}")
        scene.lab.add_vm(name, "hv2" if name == "sv" else "hv1")
    net.port_group("served", "sv")
    net.address_set("clients30", IP["cl"])
    scene.lab.wait_until_up()


@pytest.fixture(autouse=True)
def _no_acls_left(scene: Scene) -> Iterator[None]:
    """One stateful ACL is always there: without any, ACLs judge each packet by itself."""
    scene.net.acl("ls:rev", "to-lport", 0, "icmp", "allow-related")
    yield
    for acl in scene.net.get("/acls")["items"]:
        scene.net.delete(f"/acls/{acl['id']}")


class Connection:
    """A UDP or TCP connection from a client VM to `sv`, both ends in this process."""

    def __init__(self, scene: Scene, stack: ExitStack, client: str, kind: int, port: int) -> None:
        client_vm, server_vm = scene.lab.vm(client), scene.lab.vm("sv")
        self.kind = kind
        listener = stack.enter_context(server_vm.namespace.socket(socket.AF_INET, kind))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((IP["sv"], port))
        self.client = stack.enter_context(client_vm.namespace.socket(socket.AF_INET, kind))
        self.client.settimeout(30)
        if kind == socket.SOCK_STREAM:
            listener.listen()
            self.client.connect((IP["sv"], port))
            listener.settimeout(30)
            accepted, _ = listener.accept()
            self.server = stack.enter_context(accepted)
        else:
            self.client.connect((IP["sv"], port))
            self.client.send(b"hello")
            listener.settimeout(30)
            _, peer = listener.recvfrom(100)
            listener.connect(peer)
            self.server = listener
        self._number = 0

    def request_arrives(self, seconds: float = 1.0) -> bool:
        return self._passes(self.client, self.server, seconds)

    def reply_arrives(self, seconds: float = 1.0) -> bool:
        return self._passes(self.server, self.client, seconds)

    def _passes(self, source: socket.socket, target: socket.socket, seconds: float) -> bool:
        self._number += 1
        message = f"<{self._number}>".encode()
        source.send(message)
        target.settimeout(seconds)
        received = b""
        try:
            while message not in received:
                received += target.recv(2000)
        except TimeoutError:
            return False
        return True


def has_ended(arrives: Callable[[float], bool]) -> bool:
    """Whether nothing of several packets arrives: one alone may be late."""
    return not any(arrives(0.3) for _ in range(5))


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


KINDS = [socket.SOCK_DGRAM, socket.SOCK_STREAM]


@pytest.mark.parametrize("kind", KINDS, ids=["udp", "tcp"])
@pytest.mark.parametrize("speaks", ["request", "reply"])
@pytest.mark.parametrize("change", ["allow removed", "deny added", "set member removed"])
def test_revoked(scene: Scene, stack: ExitStack, kind: int, speaks: str, change: str) -> None:
    net = scene.net
    net.acl("pg:served", "to-lport", 1, "outport == @served && ip4", "drop")
    allow = net.acl(
        "pg:served", "to-lport", 1000, f"ip4.src == {{{IP['by']}}}", "allow-related"
    ) and net.acl("pg:served", "to-lport", 900, "ip4.src == $clients30", "allow-related")
    connection = Connection(scene, stack, "cl", kind, 5100)
    bystander = Connection(scene, stack, "by", kind, 5101)
    for each in (connection, bystander):
        assert each.request_arrives(30)
        assert each.reply_arrives(30)
    if change == "allow removed":
        net.delete(f"/acls/{allow}")
    elif change == "deny added":
        net.acl("pg:served", "to-lport", 950, f"ip4.src == {IP['cl']}", "drop")
    else:
        net.call("PATCH", "/address-sets/clients30", {"addresses": []})
    try:
        direction = connection.reply_arrives if speaks == "reply" else connection.request_arrives
        until(lambda: has_ended(direction), f"the {speaks} direction ended")
        assert bystander.request_arrives(30)
        assert bystander.reply_arrives(30)
    finally:
        if change == "set member removed":
            net.call("PATCH", "/address-sets/clients30", {"addresses": [IP["cl"]]})


def test_allowed_again(scene: Scene, stack: ExitStack) -> None:
    """What was blocked goes on once an ACL allows it again and a request packet came."""
    net = scene.net
    net.acl("pg:served", "to-lport", 1, "outport == @served && ip4", "drop")
    allow = net.acl("pg:served", "to-lport", 900, "udp", "allow-related")
    connection = Connection(scene, stack, "cl", socket.SOCK_DGRAM, 5102)
    assert connection.reply_arrives(30)
    net.delete(f"/acls/{allow}")
    until(lambda: has_ended(connection.reply_arrives), "the reply direction ended")
    net.acl("pg:served", "to-lport", 900, "udp", "allow-related")
    assert connection.request_arrives(30)
    assert connection.reply_arrives(30)


def test_from_lport_is_revoked_too(scene: Scene, stack: ExitStack) -> None:
    """The ACL is on the client's port, the only speaker is the server."""
    net = scene.net
    net.port_group("calling", "cl")
    net.acl("pg:calling", "from-lport", 1, "inport == @calling && ip4", "drop")
    allow = net.acl("pg:calling", "from-lport", 900, "udp.dst == 5103", "allow-related")
    connection = Connection(scene, stack, "cl", socket.SOCK_DGRAM, 5103)
    assert connection.reply_arrives(30)
    net.delete(f"/acls/{allow}")
    until(lambda: has_ended(connection.reply_arrives), "the reply direction ended")
    for acl in net.get("/acls")["items"]:
        net.delete(f"/acls/{acl['id']}")
    net.delete("/port-groups/calling")


@pytest.mark.parametrize("kind", KINDS, ids=["udp", "tcp"])
@pytest.mark.parametrize("lets_replies_through", [False, True], ids=["drops", "allows"])
def test_the_last_stateful_acl(
    scene: Scene, stack: ExitStack, kind: int, lets_replies_through: bool
) -> None:
    """Without stateful ACLs, those that are left decide about each packet, replies included."""
    net = scene.net
    net.acl("pg:served", "to-lport", 1, "outport == @served && ip4", "drop")
    if not lets_replies_through:
        net.acl("pg:served", "from-lport", 1, "inport == @served && ip4", "drop")
    net.acl("pg:served", "to-lport", 900, "tcp || udp", "allow-related")
    connection = Connection(scene, stack, "cl", kind, 5104)
    assert connection.reply_arrives(30)
    for acl in net.get("/acls")["items"]:
        if acl["action"] == "allow-related":
            net.delete(f"/acls/{acl['id']}")
    until(lambda: has_ended(connection.request_arrives), "the request direction ended")
    # TCP ends in either case, for want of acknowledgements.
    if lets_replies_through and kind == socket.SOCK_DGRAM:
        assert connection.reply_arrives(30)
    else:
        until(lambda: has_ended(connection.reply_arrives), "the reply direction ended")
