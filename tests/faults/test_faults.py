"""Constant writes and random faults: nothing acknowledged is lost, nothing forbidden passes.

Every half minute the faults pause. Then what was acknowledged has to be there, every daemon has
to live, agents and translator have to agree with a full recompute, and packets have to obey.
"""

import logging
import time
from contextlib import ExitStack

import pytest

from cli.testbed.errors import NotReadyError
from cli.testbed.wait import until
from tests.faults.journal import Journal
from tests.faults.mishaps import Breakable, Mishap
from tests.faults.obedience import Forbidden, difference
from tests.faults.schedule import turns
from tests.faults.services import FLOATING, Services
from tests.faults.writers import ACL, PORT, Writer, port_value, read_all
from tests.system.conftest import Scene, make_lab

pytestmark = pytest.mark.system

log = logging.getLogger(__name__)

_BETWEEN_LOOKS = 30.0
_CONVERGENCE = 120.0
_OPEN, _TURNED, _CLOSED = 80, 81, 23

# What daemons say of faults that are meant: Open vSwitch of its other half and of the underlay,
# agent and server that their disk is full.
_EXPECTED_TROUBLE = (
    r"\|ERR\|.*(unixctl|ovsdb|db\.sock|mgmt|Connection|No such device|br-phys|Network is down)",
    r"disk is full|No space left on device",
)


class FaultyScene:
    """A lab of three hypervisors with VMs, a service open, one closed and one that turns.

    The open one is reached by way of a gateway, NAT and a load balancer, too.
    """

    def __init__(self, stack: ExitStack, tmp_path_factory: pytest.TempPathFactory) -> None:
        lab = stack.enter_context(make_lab(tmp_path_factory))
        self.lab = lab
        # What is mounted in the lab's directory has to go before it does.
        self._mounts = stack.enter_context(ExitStack())
        self.parts = Breakable(lab, self._mounts)
        self.parts.start_server()
        for name in ("hv1", "hv2", "hv3"):
            self.parts.add_hypervisor(name)
        self.scene = Scene(lab)
        stack.callback(self.scene.net.client.close)
        self.scene.expected_trouble += _EXPECTED_TROUBLE
        self.journal = Journal()
        self.services = Services(lab, _OPEN)
        self.acl = self._declare()

    def _declare(self) -> str:
        """Make the network; the id of the ACL that turns."""
        net, lab = self.scene.net, self.lab
        net.switch("steady")
        net.switch("beyond")
        net.router("between")
        net.attach("between", "steady", "0a:00:00:00:f0:fe", "10.240.1.1/24")
        net.attach("between", "beyond", "0a:00:00:00:f1:fe", "10.240.2.1/24")
        for number, hypervisor in enumerate(("hv1", "hv2", "hv3"), 1):
            net.port("steady", f"s{number}", f"0a:00:00:00:f0:0{number} 10.240.1.1{number}")
            lab.add_vm(f"s{number}", hypervisor)
        net.port("beyond", "b1", "0a:00:00:00:f1:01 10.240.2.11")
        lab.add_vm("b1", "hv3")
        net.port_group("guarded", "s1", "s2", "s3", "b1")
        net.acl("pg:guarded", "to-lport", 1000, "outport == @guarded && ip", "drop")
        match = "outport == @guarded && tcp.dst == {}"
        net.acl("pg:guarded", "to-lport", 2000, match.format(_OPEN), "allow-related")
        turning = net.acl("pg:guarded", "to-lport", 2001, match.format(_TURNED), "allow-related")
        for port in (_OPEN, _TURNED, _CLOSED):
            lab.listen("s2", port)
        self.services.declare(net)
        lab.wait_until_up()
        self.journal.acknowledge(
            self.journal.begin({ACL + turning: "allow-related", PORT + "s3": self._port("s3")})
        )
        return turning

    def _port(self, name: str) -> str:
        return port_value(self.scene.net.get(f"/logical-switch-ports/{name}"))

    def flips(self) -> dict[str, tuple[str, str]]:
        """What the first writer turns on and off: an ACL and a port that carry probes."""
        return {
            ACL + self.acl: ("allow-related", "drop"),
            PORT + "s3": (",True", ",False"),
        }

    def converge(self) -> None:
        """Wait until every daemon lives and every agent has all that was written."""
        for process in self.lab.processes.values():
            process.check()
        client = self.scene.net.client

        found: list[str] = []

        def settled() -> bool:
            status = client.get("/v1/status").raise_for_status().json()
            chassis = client.get("/v1/chassis").raise_for_status().json()["items"]
            found[:] = [f"the server has {fault}" for fault in status["faults"]]
            if status["revision"] != status["translated_revision"]:
                found.append("the server hasn't translated all")
            found.extend(f"{one['name']} is away" for one in chassis if not one["connected"])
            for name, hypervisor in self.lab.hypervisors.items():
                told = hypervisor.agent("status")
                if not (told["in_sync"] and told["settled"]):
                    found.append(f"{name} isn't in sync: {told}")
            return not found

        try:
            until(settled, "server and agents settle", _CONVERGENCE)
        except NotReadyError as error:
            raise AssertionError("\n".join([str(error), *found])) from error
        revision = client.get("/v1/status").json()["revision"]
        waited = client.get(f"/v1/revisions/{revision}", params={"wait": "chassis", "timeout": 60})
        waited.raise_for_status()
        self.lab.wait_until_up()
        self.scene.settle()

    def look(self) -> list[str]:
        """What is wrong now that all is calm."""
        self.converge()
        found = read_all(self.scene.net.client)
        problems = self.journal.verify(found.get)
        vms, target = self.lab.vms, self.lab.vm("s2").ip4
        turned = found[ACL + self.acl] != "drop"
        enabled = found[PORT + "s3"].endswith("True")
        for name, port, may_connect in (
            ("s1", _OPEN, True),
            ("b1", _OPEN, True),
            ("s3", _OPEN, enabled),
            ("s1", _TURNED, turned),
            ("b1", _TURNED, turned),
        ):
            wrong = difference(vms[name], target, port, may_connect=may_connect)
            problems += [f"{line}; {self._explanation(name, port)}" for line in wrong]
        for path in self.services.paths():
            problems += difference(path.host, path.address, path.port, may_connect=True)
        try:
            self.scene.check()
        except AssertionError as error:
            problems.append(str(error))
        return problems

    def _explanation(self, name: str, port: int) -> str:
        """What Treadle says of a connection to the service, switches included."""
        question = {"source": name, "destination": "s2", "service": f"tcp/{port}", "live": True}
        return self.scene.net.client.post("/v1/reachability", json=question).text


def test_faults_lose_nothing_and_let_nothing_pass(
    tmp_path_factory: pytest.TempPathFactory, faults: float, seed: int
) -> None:
    with ExitStack() as stack:
        faulty = FaultyScene(stack, tmp_path_factory)
        mishaps = faulty.parts.mishaps()
        url = faulty.lab.server.url
        writers = [
            Writer(url, faulty.journal, n, seed + n, faulty.flips() if n == 0 else {})
            for n in range(2)
        ]
        for writer in writers:
            writer.prepare()
        outside = faulty.services.outside
        assert outside is not None
        forbidden = [
            Forbidden(faulty.lab.vm("s1"), faulty.lab.vm("s2").ip4, _CLOSED),
            Forbidden(outside, FLOATING, _CLOSED),
        ]
        for each in forbidden:
            each.start()
        order = turns(seed, [mishap.target for mishap in mishaps])
        happened: list[str] = []
        problems: list[str] = []
        end = time.monotonic() + faults
        try:
            while not problems and time.monotonic() < end:
                writers = [writer.again() for writer in writers]
                for writer in writers:
                    writer.start()
                look_at = min(end, time.monotonic() + _BETWEEN_LOOKS)
                try:
                    while time.monotonic() < look_at:
                        turn = next(order)
                        befalls = [mishaps[number] for number in turn.mishaps]
                        happened += [mishap.name for mishap in befalls]
                        _befall(befalls, turn.lasts)
                        time.sleep(turn.calm)
                finally:
                    for writer in writers:
                        writer.stop()
                problems += [line for writer in writers for line in writer.problems]
                try:
                    problems += faulty.look()
                except (AssertionError, NotReadyError) as error:
                    problems.append(str(error))
        finally:
            for each in forbidden:
                each.stop()
            for writer in writers:
                writer.close()
        problems += [line for each in forbidden for line in each.violations]
        journal = faulty.journal
        log.info(
            "%d faults, %d writes acknowledged, %d refused, %d unanswered, "
            "%d forbidden connections tried",
            *(len(happened), journal.acknowledged, journal.refused, journal.unanswered),
            sum(each.tries for each in forbidden),
        )
        assert not problems, "\n".join([*problems, "after: " + ", ".join(happened[-12:])])
        assert journal.acknowledged > 0
        assert all(each.tries > 0 for each in forbidden)


def _befall(mishaps: list[Mishap], lasts: float) -> None:
    """Begin all, let them last, and end each whatever the others do."""
    with ExitStack() as ends:
        for mishap in mishaps:
            mishap.begin()
            ends.callback(mishap.end)
        time.sleep(lasts)
