"""A VM: a host whose `eth0` is a logical port's interface."""

from typing import ClassVar

from cli.testbed.host import Host
from cli.testbed.namespace import Namespace
from cli.testbed.state import VmState

# Room for the outer IPv4 (20), UDP (8) and Geneve headers with one option (16),
# and the inner Ethernet header (14), on an underlay of 1500 octets.
TENANT_MTU = 1442


class Vm(Host):
    """A host on a hypervisor, with what its logical port says as its configuration."""

    what: ClassVar[str] = "VM"
    mtu: ClassVar[int] = TENANT_MTU

    def __init__(self, name: str, namespace: Namespace, state: VmState) -> None:
        super().__init__(name, namespace, state)
        self.state = state
