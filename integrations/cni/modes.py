"""The interface of an attachment: how it gets into the container, and how it goes.

``overlay``: a pair of interfaces, one in the container, the other a port of the integration
bridge. ``host-device``: an interface of the host moves into the container, and its representor is
the port of the bridge, as for a virtual function of a network card. ``macvlan``: an interface on
one of the host's, past Open vSwitch.

Removal takes as much away as it finds, and is no error where there is nothing.
"""

import os
from collections.abc import Callable
from typing import NamedTuple

from integrations.cni.attachment import NETWORK_KEY, OWNER, Attachment
from integrations.cni.configuration import HOST_DEVICE, MACVLAN, OVERLAY, Configuration
from integrations.cni.errors import NOT_AVAILABLE, CniError
from integrations.deadline import Deadline
from integrations.host import bridge, links
from integrations.host.errors import InterfaceTakenError, MissingNamespaceError


class Host(NamedTuple):
    """This hypervisor, as the plugin has to know it."""

    chassis: str
    bridge: str
    userspace: bool
    """Whether the bridge's datapath is in userspace."""


def know_host(configuration: Configuration, deadline: Deadline) -> Host:
    """Ask Open vSwitch who this is; raise :class:`CniError` if it isn't prepared."""
    if configuration.mode == MACVLAN and configuration.chassis is not None:
        return Host(configuration.chassis, "", False)  # It has no part in that.
    facts = bridge.switch_facts(deadline)
    chassis = configuration.chassis or facts.system_id
    if chassis is None:
        raise CniError(
            NOT_AVAILABLE,
            "Open vSwitch has no external_ids:system-id",
            "ovs-vsctl set Open_vSwitch . external_ids:system-id=NAME, as the agent needs it, too",
        )
    name = configuration.bridge or facts.integration_bridge
    return Host(chassis, name, facts.datapath_types.get(name) == "netdev")


def bridge_interface(configuration: Configuration, attachment: Attachment) -> str | None:
    """Return the interface that is the attachment's port of the bridge, if its mode has one."""
    if configuration.mode == OVERLAY:
        return attachment.host_interface
    return configuration.representor


def add_to_bridge(
    configuration: Configuration, host: Host, attachment: Attachment, deadline: Deadline
) -> None:
    """Make the interface on the host a port of the bridge, if the mode has one."""
    interface = bridge_interface(configuration, attachment)
    if interface is not None:
        # Without waiting for the switch: whoever waits for the port to be up needn't.
        bridge.add_port(
            host.bridge,
            interface,
            attachment.port_id,
            OWNER,
            deadline,
            external_ids={NETWORK_KEY: attachment.network},
            wait=False,
        )


def make_interface(
    configuration: Configuration, attachment: Attachment, netns: str, deadline: Deadline
) -> None:
    """Make the interface in the container.

    Raises :class:`InterfaceTakenError`, with nothing made, if there is one of that name.
    """
    ifname = attachment.ifname
    if configuration.mode == OVERLAY:
        is_new = links.make_veth(
            attachment.host_interface,
            ifname,
            deadline,
            namespace=netns,
            mtu=configuration.mtu,
            alias=attachment.alias,
        )
        if not is_new:
            raise InterfaceTakenError(ifname, netns)
    elif configuration.mode == MACVLAN:
        links.make_macvlan(
            configuration.master or "",
            ifname,
            deadline,
            namespace=netns,
            mode=configuration.macvlan_mode,
            alias=attachment.alias,
            temporary_name=attachment.host_interface,
            mtu=configuration.mtu,
        )
    else:
        if links.find_link(ifname, deadline, namespace=netns) is not None:
            raise InterfaceTakenError(ifname, netns)
        device = configuration.device or ""
        representor = configuration.representor or ""
        alias = attachment.alias
        links.move_link(device, ifname, deadline, namespace=None, into=netns, alias=alias)
        links.batch([f"link set {representor} up"], deadline)


def unplugging(
    configuration: Configuration,
    host: Host,
    attachment: Attachment,
    netns: str | None,
    deadline: Deadline,
) -> list[Callable[[], None]]:
    """Return the steps that take the interface away, and its port off the bridge.

    Each takes away what it finds, whatever became of those before it.
    """
    steps: list[Callable[[], None]] = []
    if configuration.mode != MACVLAN:
        steps.append(lambda: _take_off_bridge(configuration, host, attachment, deadline))
    if configuration.mode != OVERLAY and netns is not None:
        steps.append(lambda: _take_out(configuration, attachment, netns, deadline))
    if configuration.mode == HOST_DEVICE:
        steps.append(lambda: _give_back(configuration, attachment, deadline))
    else:
        # Of a macvlan what has not got into the container, if anything.
        steps.append(lambda: _remove_link(attachment.host_interface, deadline))
    return steps


def remove_from_host(configuration: Configuration, name: str, deadline: Deadline) -> None:
    """Remove an interface that is garbage; a device of the host's only gets its name again."""
    if configuration.mode == HOST_DEVICE:
        links.rename_link(name, configuration.device or "", deadline)
    else:
        links.remove_link(name, deadline)


def _remove_link(name: str, deadline: Deadline) -> None:
    links.remove_link(name, deadline)


def _take_off_bridge(
    configuration: Configuration, host: Host, attachment: Attachment, deadline: Deadline
) -> None:
    """Remove the port of the bridge, if it is this attachment's where its name doesn't say so."""
    interface = bridge_interface(configuration, attachment) or ""
    if configuration.mode != OVERLAY:
        port = bridge.find_port(interface, deadline)
        if port is None or port.iface_id != attachment.port_id:
            return
    bridge.remove_port(host.bridge, interface, deadline)


def _take_out(
    configuration: Configuration, attachment: Attachment, netns: str, deadline: Deadline
) -> None:
    """Take out of a namespace what isn't the end of a pair; in one that is gone nothing is.

    By its alias it is known to be this attachment's: the path may be that of another container's
    namespace by now.
    """
    try:
        link = links.find_link(attachment.ifname, deadline, namespace=netns)
        if link is None or link.alias != attachment.alias:
            return
        if configuration.mode == HOST_DEVICE:
            own = f"/proc/{os.getpid()}/ns/net"
            device = configuration.device or ""
            links.move_link(link.name, device, deadline, namespace=netns, into=own, alias="")
        elif link.kind == "macvlan":
            links.remove_link(link.name, deadline, namespace=netns)
    except MissingNamespaceError:
        return


def _give_back(configuration: Configuration, attachment: Attachment, deadline: Deadline) -> None:
    """Give the device its name again where its namespace went, which the kernel took it out of."""
    for link in links.list_links(deadline):
        if link.alias == attachment.alias:
            remove_from_host(configuration, link.name, deadline)
