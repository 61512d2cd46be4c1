"""Provider networks of a lab: what lies beside the overlay, and the hosts out there.

All of them are bridges of one Open vSwitch in a namespace of its own, which learns and knows
VLANs as a data centre's switch does. A hypervisor has a bridge ``br-NETWORK`` with an uplink to
it, which carries frames with any tag, and says in ``treadle-bridge-mappings`` that it has. The
port of an outside host is an access port of one VLAN, or carries what has no tag.
"""

from pathlib import Path

from cli.testbed.host import Host
from cli.testbed.hypervisor import Hypervisor
from cli.testbed.namespace import Namespace
from cli.testbed.openvswitch import OpenVSwitch
from cli.testbed.state import OutsideState

ROLE = "provider"
"""Of the namespace and the daemons of the switch."""
# Interface names have at most 15 characters.
_INTERFACE_LENGTH = 15


def bridge_of(network: str) -> str:
    """Return the bridge of a provider network, of hypervisors and of the switch outside.

    >>> bridge_of("physnet1")
    'br-physnet1'
    """
    return f"br-{network}"[:_INTERFACE_LENGTH]


class OutsideHost(Host):
    """A host on a provider network, which knows of no logical network."""

    what = "outside host"

    def __init__(self, name: str, namespace: Namespace, state: OutsideState) -> None:
        super().__init__(name, namespace, state)
        self.state = state


class ProviderSwitch:
    """The switch outside. Its daemons are the lab's to start and to stop."""

    def __init__(self, namespace: Namespace, directory: Path) -> None:
        self.namespace = namespace
        self.switch = OpenVSwitch(namespace, directory / ROLE / "ovs")

    def add_network(self, network: str) -> None:
        self.switch.add_learning_bridge(bridge_of(network))

    def connect_hypervisor(self, network: str, hypervisor: Hypervisor, port: str) -> None:
        """Give the hypervisor a bridge of the network; `port` is the switch's for its uplink."""
        uplink = f"pn-{network}"[:_INTERFACE_LENGTH]
        self._join(hypervisor.namespace, uplink, port)
        hypervisor.namespace.ip("link", "set", uplink, "arp", "off", "addrgenmode", "none", "up")
        self.switch.vsctl("add-port", bridge_of(network), port)
        hypervisor.switch.add_learning_bridge(bridge_of(network))
        hypervisor.switch.vsctl("add-port", bridge_of(network), uplink)
        mappings = hypervisor.bridge_mappings | {network: bridge_of(network)}
        hypervisor.map_bridges(mappings)

    def connect_host(self, host: OutsideHost, port: str) -> None:
        self._join(host.namespace, "eth0", port)
        options = [] if host.state.vlan is None else [f"tag={host.state.vlan}"]
        self.switch.vsctl("add-port", bridge_of(host.state.network), port, *options)

    def locations(self, network: str, mac: str) -> set[str]:
        """Return names of ports, one of which is that behind which a MAC address was seen last.

        Ports of other networks may have the same number. None where the address isn't known.
        """
        shown = self.switch.appctl("fdb/show", bridge_of(network))
        for line in shown.splitlines()[1:]:
            number, _vlan, known, _age = line.split()
            if known == mac:
                query = ("--bare", "--columns=name", "find", "Interface", f"ofport={number}")
                return set(self.switch.vsctl(*query).split())
        return set()

    def disconnect(self, port: str) -> None:
        self.switch.vsctl("--if-exists", "del-port", port)

    def _join(self, namespace: Namespace, interface: str, port: str) -> None:
        namespace.ip(
            *("link", "add", interface, "type", "veth", "peer", "name", port),
            *("netns", self.namespace.name),
        )
        self.namespace.ip("link", "set", port, "arp", "off", "addrgenmode", "none", "up")
