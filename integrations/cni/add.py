"""ADD: attach a container.

The interface and its port of the bridge come first, with the id that the logical port is going to
have: the agent then waits for that port, and it is up a moment after it was made. Whatever fails,
all that was made is removed.
"""

from collections.abc import Callable
from typing import Any

from integrations.client import ClientError, UnreachableError
from integrations.cni import modes, ports
from integrations.cni.attachment import Attachment
from integrations.cni.configuration import HOST_DEVICE, MACVLAN, Configuration
from integrations.cni.interruptions import limit_cleanup
from integrations.cni.lock import hold
from integrations.cni.modes import Host
from integrations.cni.ports import Port
from integrations.cni.result import Address, Interface, Result, encode
from integrations.cni.session import CLEANUP_SECONDS, Session, note
from integrations.deadline import Deadline, TimeLimitError
from integrations.host import bridge, links
from integrations.host.errors import CommandFailedError, HostError, InterfaceTakenError

Say = Callable[[dict[str, Any]], None]


def add(session: Session, say: Say) -> None:
    """Attach the container and `say` the result; if that fails, detach it again."""
    session = ports.know_router(session)
    invocation, configuration, deadline, _ = session
    host = modes.know_host(configuration, deadline)
    attachment = Attachment(
        host.chassis, configuration.network, invocation.container, invocation.ifname
    )
    with hold(attachment.port_id, deadline):
        _attach(session, host, attachment, say)


def _attach(session: Session, host: Host, attachment: Attachment, say: Say) -> None:
    invocation, configuration, deadline, client = session
    netns = invocation.netns or ""
    # Ports past Open vSwitch never come up.
    wait = "translated" if configuration.mode == MACVLAN else "up"
    args = dict(invocation.args)
    try:
        modes.make_interface(configuration, attachment, netns, deadline)
        modes.add_to_bridge(configuration, host, attachment, deadline)
        port = ports.make_port(client, configuration, attachment, args, deadline, wait=wait)
        _configure(configuration, host, attachment.ifname, netns, port, deadline)
        interface = modes.bridge_interface(configuration, attachment)
        if interface is not None:
            bridge.wait_installed(interface, deadline)
        result = _result(configuration, attachment, netns, port)
        say(encode(result, configuration.version, configuration.previous))
    except InterfaceTakenError:
        raise  # Nothing was made, and what is there may be that of another call.
    except BaseException as error:
        _undo(session, host, attachment, error)
        raise


def _configure(
    configuration: Configuration,
    host: Host,
    ifname: str,
    netns: str,
    port: Port,
    deadline: Deadline,
) -> None:
    if host.userspace and configuration.mode != MACVLAN:
        links.fill_in_checksums(ifname, deadline, namespace=netns)

    def configure() -> None:
        links.configure(
            ifname,
            deadline,
            namespace=netns,
            mac=port.mac,
            # What is made is made with it.
            mtu=configuration.mtu if configuration.mode == HOST_DEVICE else None,
            addresses=port.addresses,
            routes=configuration.routes,
        )

    try:
        configure()
    except CommandFailedError as error:
        # Containers are often made without IPv6; older kernels only say that it isn't permitted.
        if "IPv6 is disabled" not in error.output and "Permission denied" not in error.output:
            raise
        links.allow_ipv6(ifname, deadline, namespace=netns)
        configure()


def _result(configuration: Configuration, attachment: Attachment, netns: str, port: Port) -> Result:
    mtu = configuration.mtu
    interface = modes.bridge_interface(configuration, attachment)
    on_host = [] if interface is None else [Interface(interface, None, mtu, None)]
    gateways = {":" in gateway: gateway for gateway in configuration.gateways}
    return Result(
        interfaces=[*on_host, Interface(attachment.ifname, port.mac, mtu, netns)],
        addresses=[Address(each, gateways.get(":" in each)) for each in port.addresses],
        routes=configuration.routes,
        dns=configuration.dns,
    )


def _undo(session: Session, host: Host, attachment: Attachment, cause: BaseException) -> None:
    """Remove all that may have been made; what can't be, later DEL or GC calls remove."""
    limit_cleanup(CLEANUP_SECONDS)
    deadline = Deadline(CLEANUP_SECONDS)
    netns = session.invocation.netns
    for step in modes.unplugging(session.configuration, host, attachment, netns, deadline):
        try:
            step()
        except (HostError, TimeLimitError) as error:
            note(f"could not remove the interface again: {error}")
    if isinstance(cause, UnreachableError) and not cause.sent:
        return
    try:
        ports.remove_port(session.client, attachment.port_id, deadline)
    except (ClientError, TimeLimitError) as error:
        note(f"could not remove port {attachment.port_id} again: {error}")
