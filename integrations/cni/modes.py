"""The interface of an attachment: how it gets into the container, and how it goes.

``overlay``: a pair of interfaces, one in the container, the other a port of the integration
bridge. ``host-device``: an interface of the host moves into the container, and its representor is
the port of the bridge, as for a virtual function of a network card. ``macvlan``: an interface on
one of the host's, past Open vSwitch.

Removal takes as much away as it finds, and is no error where there is nothing.
"""

import os
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
            temporary_name=attachment.host_interface,
            mtu=configuration.mtu,
        )
    else:
        if links.find_link(ifname, deadline, namespace=netns) is not None:
            raise InterfaceTakenError(ifname, netns)
        device = configuration.device or ""
        representor = configuration.representor or ""
        links.move_link(device, ifname, deadline, namespace=None, into=netns)
        links.batch([f"link set {representor} up"], deadline)


def unplug(
    configuration: Configuration,
    bridge_name: str,
    attachment: Attachment,
    netns: str | None,
    deadline: Deadline,
) -> None:
    """Take the interface away, and its port off the bridge."""
    interface = bridge_interface(configuration, attachment)
    if interface is not None and _is_port_of(configuration, attachment, deadline):
        bridge.remove_port(bridge_name, interface, deadline)
    if configuration.mode != HOST_DEVICE:
        # Of a macvlan what has not got into the container, if anything.
        links.remove_link(attachment.host_interface, deadline)
    if configuration.mode != OVERLAY and netns is not None:
        _take_out(configuration, attachment.ifname, netns, deadline)


def _is_port_of(configuration: Configuration, attachment: Attachment, deadline: Deadline) -> bool:
    """Tell whether the port of the bridge is this attachment's, where its name doesn't say so."""
    if configuration.mode == OVERLAY:
        return True
    port = bridge.find_port(configuration.representor or "", deadline)
    return port is not None and port.iface_id == attachment.port_id


def _take_out(configuration: Configuration, ifname: str, netns: str, deadline: Deadline) -> None:
    """Take out of a namespace what isn't the end of a pair; in one that is gone nothing is."""
    try:
        link = links.find_link(ifname, deadline, namespace=netns)
        if link is None:
            return
        if configuration.mode == HOST_DEVICE:
            own = f"/proc/{os.getpid()}/ns/net"
            device = configuration.device or ""
            links.move_link(ifname, device, deadline, namespace=netns, into=own)
        elif link.kind == "macvlan":
            links.remove_link(ifname, deadline, namespace=netns)
    except MissingNamespaceError:
        return
