"""DEL: detach a container, which may be half gone, or half attached, or not attached at all.

Everything is tried even if something fails, and then the first failure is told, so that the
runtime calls again.
"""

from collections.abc import Callable

from integrations.cni import modes, ports
from integrations.cni.attachment import Attachment
from integrations.cni.errors import CniError
from integrations.cni.lock import hold
from integrations.cni.session import Session, as_cni_errors


def delete(session: Session) -> None:
    """Remove interface, port of the bridge and logical port, as far as they are there."""
    invocation, configuration, deadline, client = session
    host = modes.know_host(configuration, deadline)
    attachment = Attachment(
        host.chassis, configuration.network, invocation.container, invocation.ifname
    )
    with hold(attachment.port_id, deadline):
        do_all(
            *modes.unplugging(configuration, host, attachment, invocation.netns, deadline),
            lambda: ports.remove_port(client, attachment.port_id, deadline),
        )


def do_all(*steps: Callable[[], object]) -> None:
    """Do each step, whatever becomes of those before it; raise the first error at the end."""
    first: CniError | None = None
    for step in steps:
        try:
            with as_cni_errors():
                step()
        except CniError as error:
            first = first or error
    if first is not None:
        raise first
