"""The logical port of an attachment, in Treadle.

It is made with its memberships in one transaction, together with the switch if that has to be.
Where its addresses are Treadle's choice, port security is added in a second one, as soon as they
are known and before the container's interface is up.
"""

import ipaddress
from typing import Any, NamedTuple

from integrations.client import (
    AnswerError,
    Client,
    Json,
    RefusedError,
    UnreachableError,
    segment,
)
from integrations.cni.attachment import HOST_LABEL, NETWORK_LABEL, Attachment, switch_id
from integrations.cni.configuration import Configuration, with_router
from integrations.cni.errors import INVALID_CONFIGURATION, REFUSED, CniError
from integrations.cni.session import Session
from integrations.deadline import Deadline

_PORTS = "/v1/logical-switch-ports"
_SWITCHES = "/v1/logical-switches"
_ATTEMPTS = 4
_OF_THE_SERVER = 500
"""The first status by which a server refuses for reasons of its own."""


class Port(NamedTuple):
    """A port as the container has to be: its MAC and its addresses with prefix lengths."""

    mac: str
    addresses: tuple[str, ...]


def make_port(
    client: Client,
    configuration: Configuration,
    attachment: Attachment,
    args: dict[str, str],
    deadline: Deadline,
    *,
    wait: str | None,
) -> Port:
    """Make the port, or bring one that is there already to what is asked for now.

    `wait` is the milestone that the server waits for. Raises :class:`CniError` if the server
    refuses, else the errors of the client.
    """
    secured = configuration.port_security
    switch, view = _make(
        client,
        configuration,
        attachment,
        _values(configuration, attachment, args),
        deadline,
        wait=None if secured else wait,
    )
    port = _port(switch, view, configuration.ips)
    if secured:
        try:
            _secure(client, attachment.port_id, port, deadline, wait=wait)
        except UnreachableError as error:
            # Whatever became of this request: the port is there.
            raise UnreachableError(str(error), sent=True) from None
    return port


def _secure(
    client: Client, port_id: str, port: Port, deadline: Deadline, *, wait: str | None
) -> None:
    """Let the port send from its own addresses only."""
    hosts = (address.partition("/")[0] for address in port.addresses)
    client.request(
        "PATCH",
        f"{_PORTS}/{port_id}",
        deadline,
        query=_waiting(wait, deadline),
        body={"port_security": [" ".join([port.mac, *hosts])]},
        repeatable=True,
    )


def remove_port(client: Client, port_id: str, deadline: Deadline) -> None:
    """Delete a port, if it is there."""
    client.delete(f"{_PORTS}/{port_id}", deadline)


def find_port(client: Client, port_id: str, deadline: Deadline) -> dict[str, Any] | None:
    """Return a port as the API shows it, or None if there is none."""
    view = client.find(f"{_PORTS}/{port_id}", deadline)
    if view is not None and not isinstance(view, dict):
        raise AnswerError("the answer is no port of the API")
    return view


def ports_of(client: Client, chassis: str, network: str, deadline: Deadline) -> list[str]:
    """Return the ids of all ports of a network that the plugin made on a chassis."""
    labels = {f"label.{HOST_LABEL}": chassis, f"label.{NETWORK_LABEL}": network}
    return [str(item["id"]) for item in client.items(_PORTS, deadline, labels)]


def addresses_of(view: dict[str, Any]) -> list[str]:
    """Return MAC and IP addresses of a port that the API shows, words of one text.

    >>> addresses_of({"addresses": ["dynamic"], "dynamic_addresses": "0a:00:00:00:00:01 10.0.0.2"})
    ['0a:00:00:00:00:01', '10.0.0.2']
    """
    text = view.get("dynamic_addresses") or next(iter(view.get("addresses") or []), "")
    return str(text).split()


def _values(
    configuration: Configuration, attachment: Attachment, args: dict[str, str]
) -> dict[str, Json]:
    ips = [ip.partition("/")[0] for ip in configuration.ips]
    mac = configuration.mac or "dynamic"
    words = [mac, *ips] if ips or mac == "dynamic" else [mac, "dynamic"]
    return {
        "logical_switch": configuration.switch,
        "display_name": attachment.display_name(args),
        "addresses": [" ".join(words)],
        "labels": attachment.labels(args, configuration.labels),
        "external_ids": {"treadle-cni": attachment.container},
    }


def _make(
    client: Client,
    configuration: Configuration,
    attachment: Attachment,
    values: dict[str, Json],
    deadline: Deadline,
    *,
    wait: str | None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return switch and port as the API shows them."""
    port_id = attachment.port_id
    # An update that changes nothing shows the switch, without a request of its own.
    first: dict[str, Json] = _operation("update", "logical_switch", configuration.switch, {})
    ports = [_operation("create", "logical_switch_port", None, {"id": port_id, **values})]
    for _ in range(_ATTEMPTS):
        members = [
            {"action": "change_members", "kind": "port_group", "ref": group, "add": [port_id]}
            for group in configuration.port_groups
        ]
        shared = "/" in configuration.switch
        operations = [*([] if shared else [first]), *ports, *members]
        try:
            answer = client.request(
                "POST",
                "/v1/transactions",
                deadline,
                query=_waiting(wait, deadline),
                body={"operations": operations},
                repeatable=True,
            )
        except RefusedError as error:
            if error.status >= _OF_THE_SERVER:
                raise  # It is too busy, or the port isn't up in time: nothing that was asked for.
            of_switch = not shared and _is_of_first(error)
            if _is_taken(error, port_id):
                # Of an earlier call whose answer was lost, or from before the host was rebooted.
                update = {name: values[name] for name in values if name != "logical_switch"}
                ports = _existing(client, configuration, port_id, update, values, deadline)
            elif of_switch and error.missing and configuration.create_switch:
                first = _creation(configuration)
            elif of_switch and error.taken:
                # Another call has just made it.
                first = _operation("update", "logical_switch", configuration.switch, {})
            else:
                raise CniError(REFUSED, f"Treadle refuses the port: {error}") from None
            continue
        try:
            views = [result["object"] for result in answer["results"]]
            switch = find_switch(client, configuration, deadline) if shared else views.pop(0)
            view = views[len(ports) - 1]
            if not isinstance(switch, dict) or not isinstance(view, dict):
                raise TypeError
        except (KeyError, TypeError, IndexError):
            raise AnswerError("the answer is no result of a transaction") from None
        return switch, view
    raise CniError(REFUSED, "others make and remove the same port or switch all the time")


def _existing(
    client: Client,
    configuration: Configuration,
    port_id: str,
    update: dict[str, Json],
    values: dict[str, Json],
    deadline: Deadline,
) -> list[dict[str, Json]]:
    """Return what brings a port that is there to what is wanted: anew if its switch is another."""
    there = find_port(client, port_id, deadline)
    create = _operation("create", "logical_switch_port", None, {"id": port_id, **values})
    if there is None:
        return [create]
    if there.get("logical_switch") == configuration.switch:
        return [_operation("update", "logical_switch_port", port_id, update)]
    return [{"action": "delete", "kind": "logical_switch_port", "ref": port_id}, create]


def _operation(action: str, kind: str, ref: str | None, values: dict[str, Json]) -> dict[str, Json]:
    operation = {"action": action, "kind": kind, "values": values}
    return operation if ref is None else {**operation, "ref": ref}


def _creation(configuration: Configuration) -> dict[str, Json]:
    """Return the operation that makes the switch of the configuration."""
    wanted = configuration.create_switch
    assert wanted is not None  # noqa: S101 - the caller has asked
    values = {
        "id": switch_id(configuration.server.project, configuration.switch),
        "name": configuration.switch,
        "subnet4": wanted.subnet4,
        "subnet6": wanted.subnet6,
        "exclude_ips": wanted.exclude_ips,
        "labels": wanted.labels,
    }
    given = {name: value for name, value in values.items() if value}
    return _operation("create", "logical_switch", None, given)


def _is_of_first(error: RefusedError) -> bool:
    """Tell whether the first operation of a transaction was refused."""
    return any(f"{each.where}/".startswith("operations/0/") for each in error.errors)


def _is_taken(error: RefusedError, port_id: str) -> bool:
    referents = error.problem.get("referents")
    return error.taken and any(
        isinstance(each, dict) and each.get("id") == port_id
        for each in (referents if isinstance(referents, list) else [])
    )


def _waiting(wait: str | None, deadline: Deadline) -> dict[str, str | int | None]:
    """Return the query that has the server wait, for less long than there is time."""
    if wait is None:
        return {}
    return {"wait": wait, "timeout": max(1, int(deadline.left() * 0.8))}


def _port(switch: dict[str, Any], view: dict[str, Any], asked: list[str]) -> Port:
    mac, *ips = addresses_of(view) or [""]
    if not mac:
        raise AnswerError("the port has no address")
    lengths = {ip.partition("/")[0]: ip.partition("/")[2] for ip in asked if "/" in ip}
    subnets = [
        ipaddress.ip_network(text)
        for text in (switch.get("subnet4"), switch.get("subnet6"))
        if isinstance(text, str)
    ]
    return Port(mac, tuple(f"{ip}/{_length(ip, subnets, lengths)}" for ip in ips))


def _length(ip: str, subnets: list[Any], asked: dict[str, str]) -> int:
    """Return the prefix length of an address: the subnet's, else the one that was asked for."""
    address = ipaddress.ip_address(ip)
    for subnet in subnets:
        if address in subnet:
            return int(subnet.prefixlen)
    return int(asked.get(ip) or address.max_prefixlen)


def find_switch(client: Client, configuration: Configuration, deadline: Deadline) -> Json | None:
    """Return the configuration's logical switch as the API shows it, or None if there is none."""
    project, slash, name = configuration.switch.rpartition("/")
    if not slash:
        return client.find(f"{_SWITCHES}/{segment(name)}", deadline)
    # A token of one project may not name another, but lists what that shares.
    switches = client.items(_SWITCHES, deadline, {"name": name, "project": None})
    return next((each for each in switches if each.get("project") == project), None)


def know_router(session: Session) -> Session:
    """Return the session with the routes that a router of the switch says, if they are asked for.

    Raises :class:`CniError` if there is none, before anything is made.
    """
    if not session.configuration.asks_router:
        return session
    gateways = _find_gateways(session.client, session.configuration, session.deadline)
    return session._replace(configuration=with_router(session.configuration, gateways))


def _find_gateways(client: Client, configuration: Configuration, deadline: Deadline) -> list[str]:
    """Return the addresses of a router in the switch, at most one of each family.

    Raises :class:`CniError` if no router port that can be seen here is in its subnets.
    """
    switch = find_switch(client, configuration, deadline) or {}
    subnets = [
        ipaddress.ip_network(text)
        for text in (switch.get("subnet4"), switch.get("subnet6"))
        if isinstance(text, str)
    ]
    gateways: dict[int, str] = {}
    query = {"logical_switch": switch.get("id"), "type": "router"}
    for port in client.items(_PORTS, deadline, query) if switch else ():
        for text in _router_networks(client, port, deadline):
            interface = ipaddress.ip_interface(text)
            if any(interface.ip in subnet for subnet in subnets):
                gateways.setdefault(interface.version, str(interface.ip))
    if not gateways:
        raise CniError(
            INVALID_CONFIGURATION,
            f"defaultRoute: needs gateways, as no router is known to be in the logical switch "
            f"{configuration.switch}",
        )
    return [gateways[version] for version in sorted(gateways)]


def _router_networks(client: Client, port: dict[str, Any], deadline: Deadline) -> list[str]:
    """Return the addresses, with prefix lengths, of the router port that a port leads to."""
    path = f"/v1/logical-router-ports/{segment(str(port.get('router_port')))}"
    view = client.find(path, deadline, project=str(port.get("project")))
    networks = view.get("networks") if isinstance(view, dict) else []
    return [str(text) for text in networks] if isinstance(networks, list) else []


def find_group(client: Client, group: str, deadline: Deadline) -> dict[str, Any] | None:
    """Return a port group as the API shows it, or None if there is none."""
    view = client.find(f"/v1/port-groups/{segment(group)}", deadline)
    if view is not None and not isinstance(view, dict):
        raise AnswerError("the answer is no port group of the API")
    return view
