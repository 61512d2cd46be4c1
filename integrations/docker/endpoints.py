"""The network driver's calls that are about endpoints: the interfaces of containers.

An endpoint is a port of the network's switch, a pair of interfaces, of which Docker moves one into
the container, and a port of the integration bridge that says which logical port it is. When
``CreateEndpoint`` returns, the port is up and in its port groups: the container's first packet is
held to their ACLs. One that fails leaves nothing.
"""

import logging
from typing import Any, NamedTuple

from integrations.client import ClientError, NotReachedError, RefusedError
from integrations.deadline import Deadline, TimeLimitError
from integrations.docker import ids
from integrations.docker.errors import AwayError, RefusedCallError
from integrations.docker.fields import Fields
from integrations.docker.options import endpoint_groups
from integrations.docker.plumbing import Plumbing
from integrations.docker.records import PORTS, NetworkRecord, Records
from integrations.docker.session import Operation, Session
from integrations.host.bridge import INSTALLED
from integrations.host.errors import HostError

_PORT_MAP = "com.docker.network.portmap"
_MAC = "com.docker.network.endpoint.macaddress"
_OPTION = "treadle."
_UNDO_SECONDS = 5.0
_LOG = logging.getLogger(__name__)


class Endpoint(NamedTuple):
    """An interface that a container is to have."""

    id: str
    record: NetworkRecord
    mac: str
    mac_was_given: bool
    ips: tuple[str, ...]
    groups: tuple[str, ...]

    @property
    def port(self) -> str:
        return ids.port_id(self.record.switch, self.mac)


class EndpointDriver:
    """The calls about endpoints; `mtu` is that of networks which don't say one."""

    def __init__(self, records: Records, plumbing: Plumbing, mtu: int) -> None:
        self._records = records
        self._plumbing = plumbing
        self._mtu = mtu

    def create(self, session: Session, call: Fields) -> dict[str, Any]:
        endpoint = self._read(session, call)
        self._check_mac(session, endpoint)
        try:
            self._plug(endpoint, session.deadline)
            self._declare(session, endpoint)
        except BaseException:
            self._undo(session, endpoint)
            raise
        return {"Interface": {} if endpoint.mac_was_given else {"MacAddress": endpoint.mac}}

    def _read(self, session: Session, call: Fields) -> Endpoint:
        network, endpoint = call.docker_id("NetworkID"), call.docker_id("EndpointID")
        interface, options = call.object("Interface"), call.object("Options")
        addresses = [interface.interface("Address"), interface.interface("AddressIPv6")]
        published = options.objects(_PORT_MAP)
        said = {name: options.text(name) for name in options.names() if name.startswith(_OPTION)}
        given = interface.mac("MacAddress") or options.octets_as_mac(_MAC)
        record = self._records.get(session, network)
        if published and not record.ignore_published_ports:
            raise RefusedCallError(
                "published ports (-p, -P) come with load balancers, which Treadle hasn't yet; "
                "containers are reached at their own addresses. -o treadle.published-ports=ignore "
                "of the network lets such containers run without them"
            )
        groups = dict.fromkeys([*record.groups, *endpoint_groups(said)])
        return Endpoint(
            endpoint,
            record,
            given or ids.made_up_mac(f"endpoint {endpoint}"),
            interface.mac("MacAddress") is not None,
            tuple(str(each.ip) for each in addresses if each is not None),
            tuple(groups),
        )

    def _check_mac(self, session: Session, endpoint: Endpoint) -> None:
        """Refuse a MAC address that another endpoint has, unless that is gone."""
        port = session.find(f"{PORTS}/{endpoint.port}")
        if port is None:
            return
        holder = port["labels"].get(ids.ENDPOINT)
        if holder in (None, endpoint.id):
            return
        here = port["labels"].get(ids.HOST) == self._records.host
        if not here or self._plumbing.is_there(holder, session.deadline):
            raise RefusedCallError(f"MAC address {endpoint.mac} is endpoint {holder[:12]}'s")

    def _plug(self, endpoint: Endpoint, deadline: Deadline) -> None:
        record = endpoint.record
        mtu = record.mtu or self._mtu
        self._plumbing.plug(endpoint.id, record.network, endpoint.port, endpoint.mac, mtu, deadline)

    def _declare(self, session: Session, endpoint: Endpoint) -> None:
        """Have the port, in its groups, and up."""
        record = endpoint.record
        values = {
            "display_name": f"endpoint {endpoint.id[:12]} of Docker on {self._records.host}"[:255],
            "addresses": [" ".join([endpoint.mac, *endpoint.ips])],
            "port_security": [" ".join([endpoint.mac, *endpoint.ips])]
            if record.port_security
            else [],
            "labels": {
                ids.ROLE: "endpoint",
                ids.HOST: self._records.host,
                ids.NETWORK: record.network,
                ids.ENDPOINT: endpoint.id,
            },
        }
        kind = "logical_switch_port"
        create = {
            "action": "create",
            "kind": kind,
            "values": {
                **values,
                "id": endpoint.port,
                "logical_switch": record.switch,
                "project": record.project,
            },
        }
        update = {"action": "update", "kind": kind, "ref": endpoint.port, "values": values}
        joins: list[Operation] = [
            {
                "action": "change_members",
                "kind": "port_group",
                "ref": group,
                "add": [endpoint.port],
            }
            for group in endpoint.groups
        ]
        # An address of our own pools has been claimed by that port; Docker's own haven't.
        reserved = bool(record.pool4 or record.pool6)
        first, second = (update, create) if reserved else (create, update)
        try:
            session.change([first, *joins], record.project, up=True)
        except RefusedError as error:
            if isinstance(error, NotReachedError) or not _is_about_the_port(error):
                raise
            session.change([second, *joins], record.project, up=True)
        self._wait_up(session, endpoint)

    def _wait_up(self, session: Session, endpoint: Endpoint) -> None:
        """Wait for the agent of this host, which the server may not know to be concerned yet."""
        try:
            self._plumbing.wait_up(endpoint.id, session.deadline)
        except TimeLimitError:
            plugged = self._plumbing.find(endpoint.id, Deadline(_UNDO_SECONDS))
            trouble = plugged.error if plugged is not None else ""
            raise AwayError(
                f"no chassis has the port of endpoint {endpoint.id[:12]} on bridge "
                f"{self._plumbing.bridge}: {trouble or 'is the agent of this host running?'}"
            ) from None

    def _undo(self, session: Session, endpoint: Endpoint) -> None:
        """Leave nothing of an endpoint that failed, as far as it can be reached."""
        deadline = Deadline(_UNDO_SECONDS)
        try:
            self._plumbing.unplug(endpoint.id, deadline)
        except (HostError, TimeLimitError) as error:
            _LOG.warning("endpoint %s failed, and its interface stays: %s", endpoint.id, error)
        try:
            session.until(deadline).delete(f"{PORTS}/{endpoint.port}")
        except (ClientError, TimeLimitError) as error:
            _LOG.warning("endpoint %s failed, and its port stays: %s", endpoint.id, error)

    def join(self, session: Session, call: Fields) -> dict[str, Any]:
        endpoint = call.docker_id("EndpointID")
        record = self._records.get(session, call.docker_id("NetworkID"))
        answer: dict[str, Any] = {
            "InterfaceName": {
                "SrcName": ids.container_interface(endpoint),
                "DstPrefix": record.interface_prefix,
            },
            # Else Docker adds a second interface, by which it would route around the network.
            "DisableGatewayService": True,
        }
        if not record.internal:
            answer["Gateway"] = record.gateway4
            answer["GatewayIPv6"] = record.gateway6
        return answer

    def leave(self, _session: Session, call: Fields) -> dict[str, Any]:
        """Nothing: Docker takes the interface out of the container, and deletes the endpoint."""
        call.docker_id("EndpointID")
        return {}

    def delete(self, session: Session, call: Fields) -> dict[str, Any]:
        network, endpoint = call.docker_id("NetworkID"), call.docker_id("EndpointID")
        plugged = self._plumbing.find(endpoint, session.deadline)
        self._plumbing.unplug(endpoint, session.deadline)
        if plugged is not None and plugged.iface_id is not None:
            session.delete(f"{PORTS}/{plugged.iface_id}")
            return {}
        # The host was restarted, or this call is made again after the half of it.
        record = self._records.find(session, network)
        query: dict[str, str | int | None] = {f"label.{ids.ENDPOINT}": endpoint}
        if record is not None:
            query["logical_switch"] = record.switch
        for port in list(session.items(PORTS, query)):
            session.delete(f"{PORTS}/{port['id']}")
        return {}

    def operational_info(self, session: Session, call: Fields) -> dict[str, Any]:
        """What ``docker network inspect --verbose`` and the daemon's log may show of it."""
        endpoint = call.docker_id("EndpointID")
        plugged = self._plumbing.find(endpoint, session.deadline)
        if plugged is None or plugged.iface_id is None:
            return {"Value": {"status": "unplugged"}}
        is_up = plugged.external_ids.get(INSTALLED) == "true"
        told = {"status": "up" if is_up else "down", "port": plugged.iface_id}
        return {"Value": {**told, "error": plugged.error} if plugged.error else told}

    def nothing(self, _session: Session, call: Fields) -> dict[str, Any]:
        """What has no meaning here: ports that a container exposes are for whoever may reach it,
        and which nodes a swarm has, chassis tell themselves."""
        call.names()
        return {}


def _is_about_the_port(error: RefusedError) -> bool:
    """Whether a refusal says that the port is there already, or isn't there."""
    field = {"taken": "operations/0/values/id", "not-found": "operations/0"}.get(error.type)
    return any(each.where == field for each in error.errors)
