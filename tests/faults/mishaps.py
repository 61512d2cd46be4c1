"""The faults: what each does to which part of the lab, and how it ends."""

import signal
from collections.abc import Callable
from contextlib import ExitStack
from typing import NamedTuple

from cli.testbed.hypervisor import INTEGRATION_BRIDGE
from cli.testbed.lab import Lab
from tests.faults.clock import Clock
from tests.faults.disk import Disk
from tests.faults.proxy import HOST, Proxy

_AN_HOUR = 3600


class Mishap(NamedTuple):
    """A fault that begins and ends; ending it leaves the part as it was before."""

    name: str
    target: str
    begin: Callable[[], None]
    end: Callable[[], None]


class Breakable:
    """A lab whose server and agents have disks, clocks and connections that can fail."""

    def __init__(self, lab: Lab, stack: ExitStack) -> None:
        self.lab = lab
        self._stack = stack
        self._server_disk = stack.enter_context(Disk(lab.directory / "database"))
        self._server_clock = Clock(lab.directory / "server.clock")
        self._proxies: dict[str, Proxy] = {}
        self._disks: dict[str, Disk] = {}
        self._clocks: dict[str, Clock] = {}

    def start_server(self) -> None:
        """Start the server, its database on a disk of its own."""
        database = self._server_disk.path / "treadle.db"
        url = {"TREADLE_SERVER__DATABASE__URL": f"sqlite:///{database}"}
        self.lab.start_server(environment=url | self._server_clock.environment)

    def add_hypervisor(self, name: str) -> None:
        """Add a hypervisor whose agent reaches the server through a proxy."""
        hypervisor = self.lab.add_hypervisor(name, agent=False)
        self._proxies[name] = Proxy(self.lab.server.watch_port)
        self._stack.callback(self._proxies[name].close)
        state = hypervisor.agent_socket.parent
        self._disks[name] = self._stack.enter_context(Disk(state, mebibytes=64))
        self._clocks[name] = Clock(hypervisor.directory / "clock")
        self._start_agent(name)

    def _start_agent(self, name: str) -> None:
        server = {"TREADLE_AGENT__SERVER": f"ws://{HOST}:{self._proxies[name].port}"}
        self.lab.start_agent(name, environment=server | self._clocks[name].environment)

    def mishaps(self) -> list[Mishap]:
        """All that can happen to the server and to each hypervisor."""
        return [*self._of_server(), *(m for name in self._proxies for m in self._of(name))]

    def _of_server(self) -> list[Mishap]:
        lab, clock, disk = self.lab, self._server_clock, self._server_disk
        return [
            *(
                Mishap(
                    f"server {verb}",
                    "server",
                    lambda number=number: lab.stop_process("server", number),  # type: ignore[misc]
                    self.start_server,
                )
                for verb, number in (("killed", signal.SIGKILL), ("stopped", signal.SIGTERM))
            ),
            self._frozen("server", "server"),
            Mishap("server's disk full", "server", disk.fill, disk.make_room),
            Mishap(
                "server's clock jumps back",
                "server",
                lambda: clock.shift(-_AN_HOUR),
                lambda: clock.shift(0),
            ),
        ]

    def _of(self, name: str) -> list[Mishap]:
        lab, proxy, disk, clock = (
            self.lab,
            self._proxies[name],
            self._disks[name],
            self._clocks[name],
        )
        uplink = lab.hypervisor(name).switch.namespace
        return [
            *(
                Mishap(
                    f"agent of {name} {verb}",
                    name,
                    lambda number=number: lab.stop_process(f"{name}/agent", number),  # type: ignore[misc]
                    lambda: self._start_agent(name),
                )
                for verb, number in (("killed", signal.SIGKILL), ("stopped", signal.SIGTERM))
            ),
            self._frozen(f"{name}/agent", name),
            self._frozen(f"{name}/ovs-vswitchd", name),
            self._killed_switch(name),
            self._killed_database(name),
            Mishap(f"flows of {name} deleted", name, lambda: self._delete_flows(name), _nothing),
            Mishap(f"connection of {name} cut", name, proxy.cut, proxy.restore),
            Mishap(f"connection of {name} stalled", name, proxy.stall, proxy.restore),
            Mishap(f"disk of {name}'s agent full", name, disk.fill, disk.make_room),
            Mishap(
                f"clock of {name}'s agent jumps ahead",
                name,
                lambda: clock.shift(_AN_HOUR),
                lambda: clock.shift(0),
            ),
            Mishap(
                f"underlay of {name} cut",
                name,
                lambda: _ignore(uplink.ip("link", "set", f"up-{name}", "down")),
                lambda: _ignore(uplink.ip("link", "set", f"up-{name}", "up")),
            ),
        ]

    def _frozen(self, role: str, target: str) -> Mishap:
        return Mishap(
            f"{role} frozen",
            target,
            lambda: self.lab.process(role).send(signal.SIGSTOP),
            lambda: self.lab.process(role).send(signal.SIGCONT),
        )

    def _delete_flows(self, name: str) -> None:
        switch = self.lab.hypervisor(name).switch
        switch.ofctl("del-flows", switch.management(INTEGRATION_BRIDGE))

    def _killed_switch(self, name: str) -> Mishap:
        role, switch = f"{name}/ovs-vswitchd", self.lab.hypervisor(name).switch
        return Mishap(
            f"{role} killed",
            name,
            lambda: self.lab.stop_process(role, signal.SIGKILL),
            lambda: _ignore(self.lab.remember(role, switch.start_switch())),
        )

    def _killed_database(self, name: str) -> Mishap:
        role, switch = f"{name}/ovsdb-server", self.lab.hypervisor(name).switch
        return Mishap(
            f"{role} killed",
            name,
            lambda: self.lab.stop_process(role, signal.SIGKILL),
            lambda: _ignore(self.lab.remember(role, switch.start_database())),
        )


def _nothing() -> None:
    """End what mends itself."""


def _ignore(_: object) -> None:
    """Take the value of what is called for its effect."""
