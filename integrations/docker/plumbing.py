"""An endpoint's interfaces on this host, and the port of the integration bridge."""

import re

from integrations.deadline import Deadline
from integrations.docker import ids
from integrations.host.bridge import (
    BridgePort,
    add_port,
    find_port,
    find_ports,
    remove_port,
    switch_facts,
    wait_installed,
)
from integrations.host.errors import HostError
from integrations.host.links import (
    fill_in_checksums,
    find_link,
    list_links,
    make_veth,
    remove_link,
)

_USERSPACE = "netdev"
_DEVICE = re.compile(r"td[0-9a-f]{12}")


class Plumbing:
    """Makes and finds interfaces of endpoints; `bridge` is the integration bridge."""

    def __init__(self, bridge: str) -> None:
        self.bridge = bridge
        self._datapath_type: str | None = None

    def plug(
        self, endpoint: str, network: str, port: str, mac: str, mtu: int, deadline: Deadline
    ) -> None:
        """Make an endpoint's pair of interfaces and its port of the bridge."""
        host, container = ids.host_interface(endpoint), ids.container_interface(endpoint)
        datapath_type = self._datapath(deadline)
        make_veth(host, container, deadline, namespace=None, mtu=mtu, mac=mac)
        if datapath_type == _USERSPACE:
            fill_in_checksums(container, deadline, namespace=None)
        facts = {ids.ENDPOINT_KEY: endpoint, ids.NETWORK_KEY: network}
        # Who waits for the logical port needn't wait for the switch.
        add_port(self.bridge, host, port, ids.OWNER, deadline, external_ids=facts, wait=False)

    def _datapath(self, deadline: Deadline) -> str:
        if self._datapath_type is None:
            self._datapath_type = switch_facts(deadline).datapath_types.get(self.bridge)
        if self._datapath_type is None:
            raise HostError(f"there is no bridge {self.bridge}: is the agent of this host running?")
        return self._datapath_type

    def wait_up(self, endpoint: str, deadline: Deadline) -> None:
        """Wait until the agent has the flows of an endpoint's port in the switch.

        Raises ``TimeLimitError``.
        """
        wait_installed(ids.host_interface(endpoint), deadline)

    def unplug(self, endpoint: str, deadline: Deadline) -> None:
        """Take away what there is of an endpoint's interfaces."""
        self.remove(ids.host_interface(endpoint), deadline)

    def remove(self, interface: str, deadline: Deadline) -> None:
        """Take away an interface of the host's side, and the other end with it."""
        remove_port(self.bridge, interface, deadline)
        remove_link(interface, deadline)

    def find(self, endpoint: str, deadline: Deadline) -> BridgePort | None:
        """Return what Open vSwitch's database has of an endpoint's interface."""
        port = find_port(ids.host_interface(endpoint), deadline)
        if port is None or port.external_ids.get(ids.ENDPOINT_KEY) != endpoint:
            return None
        return port

    def is_there(self, endpoint: str, deadline: Deadline) -> bool:
        """Tell whether an endpoint's interface exists, which a restart of the host ends."""
        return find_link(ids.host_interface(endpoint), deadline) is not None

    def interfaces(self, deadline: Deadline) -> list[str]:
        """Return the names of endpoints' interfaces in the bridge, whether they exist or not."""
        return [port.name for port in find_ports(ids.OWNER, deadline)]

    def devices(self, deadline: Deadline) -> dict[str, bool]:
        """Return the interfaces that exist, in the bridge or not, and whether a container has
        the other end."""
        return {
            link.name: not link.peer_name
            for link in list_links(deadline)
            if link.kind == "veth" and _DEVICE.fullmatch(link.name)
        }
