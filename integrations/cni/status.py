"""STATUS: whether an ADD would find all that it needs."""

from integrations.client import ClientError, RefusedError, segment
from integrations.cni import modes, ports
from integrations.cni.configuration import MACVLAN
from integrations.cni.errors import NOT_AVAILABLE, CniError
from integrations.cni.session import Session
from integrations.deadline import TimeLimitError
from integrations.host import bridge, links
from integrations.host.errors import HostError

_FORBIDDEN = 403


def status(session: Session) -> None:
    """Return if the plugin is ready, else raise a :class:`CniError` of code 50."""
    try:
        _check_host(session)
        _check_server(session)
    except (ClientError, HostError, TimeLimitError) as error:
        raise CniError(NOT_AVAILABLE, f"not ready: {error}") from None


def _check_host(session: Session) -> None:
    _, configuration, deadline, _ = session
    facts = bridge.switch_facts(deadline)
    host = modes.know_host(configuration, deadline)
    if configuration.mode == MACVLAN:
        if links.find_link(configuration.master or "", deadline) is None:
            raise CniError(NOT_AVAILABLE, f"there is no interface {configuration.master}")
    elif host.bridge not in facts.datapath_types:
        raise CniError(NOT_AVAILABLE, f"there is no bridge {host.bridge}: is the agent running?")


def _check_server(session: Session) -> None:
    _, configuration, deadline, client = session
    switch = ports.find_switch(client, configuration, deadline)
    if switch is None and configuration.create_switch is None:
        raise CniError(NOT_AVAILABLE, f"Treadle has no logical switch {configuration.switch}")
    if configuration.mode == MACVLAN:
        return
    chassis = modes.know_host(configuration, deadline).chassis
    try:
        view = client.find(f"/v1/chassis/{segment(chassis)}", deadline)
    except RefusedError as error:
        if error.status == _FORBIDDEN:
            return  # A token of one project may not know.
        raise
    if view is None or not view.get("alive"):
        raise CniError(NOT_AVAILABLE, f"the agent of chassis {chassis} is not connected")
