"""GC: remove what is of no attachment that the runtime still knows.

Looked at is what the plugin made for this network on this hypervisor: ports in Treadle by their
labels, interfaces in Open vSwitch by their owner, and interfaces of the host by their alias.
"""

from functools import partial

from integrations.cni import modes, ports
from integrations.cni.attachment import NETWORK_KEY, OWNER, Attachment, port_of_alias
from integrations.cni.delete import do_all
from integrations.cni.session import Session
from integrations.host import bridge, links


def collect(session: Session) -> None:
    """Remove the garbage; what can't be removed stops nothing else."""
    _, configuration, deadline, client = session
    network = configuration.network
    host = modes.know_host(configuration, deadline)
    valid = [
        Attachment(host.chassis, network, container, ifname)
        for container, ifname in configuration.valid_attachments or []
    ]
    used_ports = {attachment.port_id for attachment in valid}

    def of_bridge() -> None:
        do_all(
            *(
                partial(bridge.remove_port, host.bridge, port.name, deadline)
                for port in bridge.find_ports(OWNER, deadline, {NETWORK_KEY: network})
                if port.iface_id not in used_ports
            )
        )

    def of_host() -> None:
        do_all(
            *(
                partial(modes.remove_from_host, configuration, link.name, deadline)
                for link in links.list_links(deadline)
                if (port_id := port_of_alias(link.alias, network)) and port_id not in used_ports
            )
        )

    def of_server() -> None:
        do_all(
            *(
                partial(ports.remove_port, client, port_id, deadline)
                for port_id in ports.ports_of(client, host.chassis, network, deadline)
                if port_id not in used_ports
            )
        )

    do_all(of_bridge, of_host, of_server)
