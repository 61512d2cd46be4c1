"""A lab: a server, hypervisors with agents, and VMs, as objects.

:meth:`Lab.create` makes an empty one, :meth:`Lab.open` finds one that another
command made. Everything that is made is written into the lab's state first, so
:meth:`Lab.destroy` leaves nothing behind, whenever it is called and however far
the making had come.
"""

import contextlib
import ipaddress
import itertools
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from cli.testbed.dhcp_client import Told, ask
from cli.testbed.errors import CommandError, LabNotFoundError, TestbedError
from cli.testbed.host import Host
from cli.testbed.hypervisor import INTEGRATION_BRIDGE, Hypervisor
from cli.testbed.namespace import Namespace
from cli.testbed.network_facts import VmFacts, vm_facts
from cli.testbed.process import Process, spawn
from cli.testbed.provider import ROLE as PROVIDER
from cli.testbed.provider import OutsideHost, ProviderSwitch
from cli.testbed.server import Server
from cli.testbed.state import (
    HypervisorState,
    LabState,
    OutsideState,
    ProviderNetworkState,
    VmState,
    lab_directory,
)
from cli.testbed.tcp_ports import claimed, free_ports
from cli.testbed.vm import Vm
from cli.testbed.wait import until

_UNDERLAY = ipaddress.ip_network("172.31.0.0/16")
# Interface names have at most 15 characters.
_INTERFACE_LENGTH = 15


class Lab:
    """The parts of one lab and the verbs on them."""

    def __init__(self, state: LabState) -> None:
        self._state = state
        self.directory = Path(state.directory)

    @classmethod
    def create(cls, name: str, directory: Path | None = None) -> "Lab":
        """Make an empty lab: its directory and the underlay. This process is its owner.

        Raises :class:`TestbedError` when one of that name is there already.
        """
        directory = directory or lab_directory(name)
        if (directory / "lab.json").exists():
            raise TestbedError(f"a lab named {name} is up already: treadle testbed down {name}")
        directory.mkdir(parents=True, exist_ok=True)
        owner = Process.current("treadle testbed")
        lab = cls(LabState(name=name, directory=str(directory), owner=owner))
        lab._state.save()
        try:
            lab._create_underlay()
        except BaseException:
            lab.destroy()
            raise
        return lab

    @classmethod
    def open(cls, name: str, directory: Path | None = None) -> "Lab":
        return cls(LabState.load(directory or lab_directory(name)))

    @property
    def name(self) -> str:
        return self._state.name

    @classmethod
    def remove_abandoned(cls, name: str) -> bool:
        """Remove the lab of that name if its owner has ended; whether there was such a one.

        The owner was killed while it made the lab, or before it took the lab down.
        """
        try:
            found = cls.open(name)
        except LabNotFoundError:
            return False
        owner = found._state.owner
        if owner is None or owner.alive():
            return False
        found.destroy()
        return True

    def release(self) -> None:
        """Let the lab stay when this process ends."""
        self._state.owner = None
        self._state.save()

    # Namespaces and processes: remembered before they are made.

    def _namespace(self, role: str) -> Namespace:
        return Namespace(f"{self.name}-{role}")

    def _create_namespace(self, role: str) -> Namespace:
        namespace = self._namespace(role)
        if namespace.name not in self._state.namespaces:
            self._state.namespaces.append(namespace.name)
            self._state.save()
        namespace.create()
        return namespace

    def remember(self, role: str, process: Process) -> Process:
        self._state.processes[role] = process
        self._state.save()
        return process

    def process(self, role: str) -> Process:
        """The process in a role, such as ``server``, ``hv1/agent``, ``hv1/ovs-vswitchd``."""
        try:
            return self._state.processes[role]
        except KeyError as error:
            known = ", ".join(sorted(self._state.processes))
            raise TestbedError(
                f"no process {role} in lab {self.name} (there are: {known})"
            ) from error

    @property
    def processes(self) -> dict[str, Process]:
        return self._state.processes

    def stop_process(self, role: str, number: signal.Signals = signal.SIGTERM) -> None:
        self.process(role).stop(number)

    def _create_underlay(self) -> None:
        namespace = self._create_namespace("underlay")
        namespace.ip("link", "add", "underlay", "type", "bridge")
        namespace.ip("link", "set", "underlay", "up")

    # The server

    @property
    def server(self) -> Server:
        return Server(self.directory, self._state.api_port, self._state.watch_port)

    def start_server(
        self, *, environment: dict[str, str] | None = None, preferred_port: int | None = None
    ) -> Server:
        """Start ``treadle server`` on SQLite, or start it again on the same ports.

        The first time the API gets `preferred_port` if that is to be had, or any other.
        """
        with contextlib.ExitStack() as claims:
            if not self._state.api_port:
                free, self._state.watch_port = free_ports(2)
                has_preferred = preferred_port and claims.enter_context(claimed(preferred_port))
                self._state.api_port = preferred_port if preferred_port and has_preferred else free
                self._state.save()
            server = self.server
            process = self.remember("server", server.start(environment))
            server.wait_until_ready(process)
        return server

    # Hypervisors

    @property
    def hypervisors(self) -> dict[str, Hypervisor]:
        return {name: self.hypervisor(name) for name in self._state.hypervisors}

    def hypervisor(self, name: str) -> Hypervisor:
        try:
            state = self._state.hypervisors[name]
        except KeyError as error:
            known = ", ".join(self._state.hypervisors)
            raise TestbedError(
                f"no hypervisor {name} in lab {self.name} (there are: {known})"
            ) from error
        return Hypervisor(
            name, self._namespace(name), self.directory / name, state.tunnel_ip, self.server
        )

    def add_hypervisor(self, name: str, *, agent: bool = True) -> Hypervisor:
        """Make a hypervisor with Open vSwitch on the underlay, and start its agent."""
        taken = {state.tunnel_ip for state in self._state.hypervisors.values()}
        tunnel_ip = next(str(host) for host in _UNDERLAY.hosts() if str(host) not in taken)
        self._state.hypervisors[name] = HypervisorState(tunnel_ip=tunnel_ip)
        namespace = self._create_namespace(name)
        hypervisor = self.hypervisor(name)
        uplink = f"up-{name}"[:_INTERFACE_LENGTH]
        underlay = self._namespace("underlay")
        namespace.ip(
            *("link", "add", uplink, "type", "veth", "peer", "name", uplink),
            *("netns", underlay.name),
        )
        underlay.ip("link", "set", uplink, "master", "underlay", "up")
        # Open vSwitch takes what comes; the host's own kernel must not answer ARP beside it,
        # with a MAC address that no tunnel ends at.
        namespace.ip("link", "set", uplink, "up", "arp", "off")
        switch = hypervisor.switch
        switch.create_database()
        self.remember(f"{name}/ovsdb-server", switch.start_database())
        switch.initialise(hypervisor.external_ids)
        self.remember(f"{name}/ovs-vswitchd", switch.start_switch())
        switch.add_underlay(uplink, tunnel_ip, _UNDERLAY.prefixlen)
        if agent:
            self.start_agent(name)
        return hypervisor

    def start_agent(self, name: str, *, environment: dict[str, str] | None = None) -> None:
        """Start the chassis agent of a hypervisor and wait until it answers."""
        hypervisor = self.hypervisor(name)
        process = self.remember(f"{name}/agent", hypervisor.start_agent(environment))
        hypervisor.wait_until_agent_answers(process)

    def remove_hypervisor(self, name: str) -> None:
        """Stop a hypervisor's processes and remove it; its VMs must be gone before."""
        hypervisor = self.hypervisor(name)
        roles = [role for role in self._state.processes if role.startswith(f"{name}/")]
        for role in reversed(roles):
            self._state.processes.pop(role).stop()
        for network in self._state.provider_networks.values():
            if name in network.ports:
                self.provider_switch.disconnect(network.ports.pop(name))
        hypervisor.namespace.delete()
        self._state.namespaces.remove(hypervisor.namespace.name)
        del self._state.hypervisors[name]
        self._state.save()

    # Provider networks

    @property
    def provider_switch(self) -> ProviderSwitch:
        return ProviderSwitch(self._namespace(PROVIDER), self.directory)

    def add_provider_network(self, network: str, hypervisors: Sequence[str] | None = None) -> None:
        """Make a provider network, with a bridge to it on the `hypervisors` (all of now)."""
        outside = self.provider_switch
        if not outside.namespace.exists():
            self._create_namespace(PROVIDER)
            switch = outside.switch
            switch.create_database()
            self.remember(f"{PROVIDER}/ovsdb-server", switch.start_database())
            switch.initialise({})
            self.remember(f"{PROVIDER}/ovs-vswitchd", switch.start_switch())
        self._state.provider_networks[network] = ProviderNetworkState()
        outside.add_network(network)
        for name in self._state.hypervisors if hypervisors is None else hypervisors:
            self.connect_to_provider_network(network, name)

    def connect_to_provider_network(self, network: str, hypervisor: str) -> None:
        """Give a hypervisor a bridge to a provider network, and say so in its settings."""
        port = self._outside_port()
        self._state.provider_networks[network].ports[hypervisor] = port
        self._state.save()
        self.provider_switch.connect_hypervisor(network, self.hypervisor(hypervisor), port)

    def place_of(self, network: str, mac: str) -> str:
        """Return the hypervisor that the switch outside sends frames for a MAC address to.

        Empty where it floods them, or takes the address to be an outside host's.
        """
        uplinks = self._state.provider_networks[network].ports
        there = self.provider_switch.locations(network, mac)
        return next((name for name, uplink in uplinks.items() if uplink in there), "")

    @property
    def outside_hosts(self) -> dict[str, OutsideHost]:
        return {name: self.outside(name) for name in self._state.outside}

    def outside(self, name: str) -> OutsideHost:
        """Return a host on a provider network."""
        try:
            state = self._state.outside[name]
        except KeyError as error:
            known = ", ".join(self._state.outside)
            raise TestbedError(
                f"no outside host {name} in lab {self.name} (there are: {known})"
            ) from error
        return OutsideHost(name, self._namespace(f"out-{name}"), state)

    def add_outside(
        self,
        name: str,
        network: str,
        *addresses: str,
        gateways: Sequence[str] = (),
        vlan: int | None = None,
        mac: str | None = None,
    ) -> OutsideHost:
        """Make a host on a provider network, in a VLAN of it or where frames have no tag.

        `addresses` are with prefix length; `gateways` are its default routes.
        """
        port = self._outside_port()
        number = int(port.removeprefix("port"))
        self._state.outside[name] = OutsideState(
            network=network,
            port=port,
            vlan=vlan,
            mac=mac or f"02:70:76:00:{number >> 8:02x}:{number & 0xFF:02x}",
            addresses=list(addresses),
            gateways=list(gateways),
        )
        self._create_namespace(f"out-{name}")
        host = self.outside(name)
        self.provider_switch.connect_host(host, port)
        host.configure()
        return host

    def remove_outside(self, name: str) -> None:
        host = self.outside(name)
        self.provider_switch.disconnect(host.state.port)
        host.namespace.delete()
        del self._state.outside[name]
        self._state.namespaces.remove(host.namespace.name)
        self._state.save()

    def _outside_port(self) -> str:
        """Return a name for a port of the switch outside that no other has."""
        networks = self._state.provider_networks.values()
        taken = {port for network in networks for port in network.ports.values()}
        taken.update(host.port for host in self._state.outside.values())
        return next(port for n in itertools.count(1) if (port := f"port{n}") not in taken)

    def host(self, name: str) -> Host:
        """Return a VM or an outside host."""
        return self.outside(name) if name in self._state.outside else self.vm(name)

    # VMs

    @property
    def vms(self) -> dict[str, Vm]:
        return {name: self.vm(name) for name in self._state.vms}

    def vm(self, name: str) -> Vm:
        try:
            state = self._state.vms[name]
        except KeyError as error:
            known = ", ".join(self._state.vms)
            raise TestbedError(f"no VM {name} in lab {self.name} (there are: {known})") from error
        return Vm(name, self._namespace(f"vm-{name}"), state)

    def add_vm(
        self,
        port: str,
        hypervisor: str,
        facts: VmFacts | None = None,
        *,
        name: str | None = None,
        by_dhcp: bool = False,
    ) -> Vm:
        """Make a VM on `hypervisor` whose interface is the logical port `port`.

        Its MAC, addresses and gateways are asked of the server unless `facts` gives them, or of
        its addresses is to ask itself, `by_dhcp`. Plugged in, but not waited for: see
        :meth:`wait_until_up`.
        """
        name = name or port
        if facts is None:
            with self.server.client() as client:
                facts = vm_facts(client, port)
        if by_dhcp:
            facts = VmFacts(facts.mac, (), ())
        interface = self._interface_name(port)
        self._state.vms[name] = VmState(
            port=port,
            hypervisor=hypervisor,
            interface=interface,
            mac=facts.mac,
            addresses=list(facts.addresses),
            gateways=list(facts.gateways),
        )
        self._create_namespace(f"vm-{name}")
        vm = self.vm(name)
        self._plug(vm)
        vm.configure()
        return vm

    def boot_by_dhcp(self, name: str) -> Told:
        """Let a VM ask for its IPv4 address and its gateway, and take what it is told."""
        vm = self.vm(name)
        told = ask(vm.namespace, self.directory / "dhcp" / name, f"VM {name}")
        state = self._state.vms[name]
        state.addresses, state.gateways = [told.address], list(told.gateways[:1])
        state.name_servers = list(told.name_servers)
        self._state.save()
        self.vm(name).configure()
        return told

    def _interface_name(self, port: str) -> str:
        taken = {vm.interface for vm in self._state.vms.values()}
        candidate = f"vm-{port}"[:_INTERFACE_LENGTH]
        number = 0
        while candidate in taken:
            number += 1
            suffix = f"~{number}"
            candidate = f"vm-{port}"[: _INTERFACE_LENGTH - len(suffix)] + suffix
        return candidate

    def _plug(self, vm: Vm) -> None:
        """Join the VM's namespace to its hypervisor and tell Open vSwitch whose port it is."""
        hypervisor = self.hypervisor(vm.state.hypervisor)
        vm.namespace.ip(
            *("link", "add", "eth0", "type", "veth", "peer", "name", vm.state.interface),
            *("netns", hypervisor.namespace.name),
        )
        hypervisor.namespace.ip("link", "set", vm.state.interface, "up", "mtu", str(vm.mtu))
        hypervisor.plug(vm.state.interface, vm.state.port)

    def move_vm(self, name: str, hypervisor: str) -> Vm:
        """Unplug a VM and plug it in on another hypervisor, its configuration kept."""
        vm = self.vm(name)
        self.hypervisor(vm.state.hypervisor).unplug(vm.state.interface)
        vm.namespace.ip("link", "delete", "eth0")
        self._state.vms[name].hypervisor = hypervisor
        self._state.save()
        moved = self.vm(name)
        self._plug(moved)
        moved.configure()
        return moved

    def remove_vm(self, name: str) -> None:
        vm = self.vm(name)
        self.hypervisor(vm.state.hypervisor).unplug(vm.state.interface)
        vm.namespace.delete()
        del self._state.vms[name]
        self._state.namespaces.remove(vm.namespace.name)
        self._state.save()

    def listen(self, name: str, port: int) -> None:
        """Answer TCP connections to `port` of a host with its name, as a process of its own.

        Returns once it does.
        """
        host = self.host(name)
        responder = Path(__file__).with_name("responder.py")
        process = spawn(
            f"responder of {name}",
            host.namespace.argv([sys.executable, "-IS", str(responder), name, str(port)]),
            self.directory / f"responder-{name}-{port}.log",
        )
        self.remember(f"{name}/tcp-{port}", process)
        sockets = ("ss", "-H", "-ltn", f"sport = :{port}")
        until(lambda: process.check() or host.namespace.run(*sockets), f"responder of {name}")

    def wait_until_up(self, names: Sequence[str] | None = None, seconds: float = 60.0) -> None:
        """Wait until the server reports the ports of the VMs `names` (all) as up."""
        chosen = self.vms.values() if names is None else [self.vm(name) for name in names]
        self.server.wait_until_up([vm.state.port for vm in chosen], seconds)

    # The end

    def destroy(self) -> None:
        """Stop every process and remove every namespace and file of the lab.

        Goes on past whatever fails, then raises :class:`TestbedError` with all
        of it; the state file stays in that case, so that it can be tried again.
        """
        failures: list[str] = []
        for role, process in reversed(self._state.processes.items()):
            try:
                process.stop()
            except OSError as error:
                failures.append(f"{role}: {error}")
        for name in reversed(self._state.namespaces):
            namespace = Namespace(name)
            try:
                for pid in namespace.pids():
                    os.kill(pid, signal.SIGKILL)
                namespace.delete()
            except (CommandError, OSError) as error:
                failures.append(f"namespace {name}: {error}")
        if failures:
            raise TestbedError(f"lab {self.name} is not wholly gone: " + "; ".join(failures))
        shutil.rmtree(self.directory)

    def __enter__(self) -> "Lab":
        return self

    def __exit__(self, *_: object) -> None:
        self.destroy()

    @property
    def integration_bridge(self) -> str:
        return INTEGRATION_BRIDGE
