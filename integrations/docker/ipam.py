"""The IPAM driver: pools and addresses of Treadle's own address management.

An address that Docker is told is claimed on the switch, by a port, before Docker is told. Docker
asks for an address before it says for which endpoint; but it says the MAC address of the interface
to be (this driver asks for that), from which the port's id follows. So a call that is made again
gets the same address, both families of an endpoint are one port, and the endpoint finds its port.
"""

import ipaddress
import threading
import uuid
from typing import Any

from integrations.client import RefusedError
from integrations.docker import ids
from integrations.docker.addresses import port_addresses
from integrations.docker.errors import RefusedCallError
from integrations.docker.fields import Fields, IpAddress, Network
from integrations.docker.options import pool_options
from integrations.docker.pools import (
    GLOBAL_SPACE,
    LOCAL_SPACE,
    SPACES,
    Pool,
    check_pool,
    first_host,
    free_pools,
    parse_pool,
)
from integrations.docker.records import PORTS, NetworkRecord, Records
from integrations.docker.session import Session

_GATEWAY = "com.docker.network.gateway"
_REQUEST_TYPE = "RequestAddressType"
_MAC = "com.docker.network.endpoint.macaddress"
_POOLS_REMEMBERED = 1000


class PendingPools:
    """Pools that Docker asked for and no network has yet, to know a network's pool again.

    Docker tells the options of a pool (``--ipam-opt``) when it asks for the pool, those of the
    network (``-o``) when it makes the network, and doesn't say which belong together but by
    the addresses. Without this, which a restart loses, both have to say the same.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pools: dict[str, Pool] = {}

    def add(self, pool: Pool) -> None:
        with self._lock:
            self._pools[pool.id] = pool
            while len(self._pools) > _POOLS_REMEMBERED:
                del self._pools[next(iter(self._pools))]

    def remove(self, pool: Pool) -> None:
        with self._lock:
            self._pools.pop(pool.id, None)

    def networks(self) -> set[Network]:
        with self._lock:
            return {pool.network for pool in self._pools.values()}

    def find(self, network: Network, switch: str | None) -> Pool | None:
        """Return the pool of these addresses that was asked for last, for `switch` if possible."""
        with self._lock:
            pools = [each for each in self._pools.values() if each.network == network]
        return next(
            (each for each in reversed(pools) if switch is not None and each.switch == switch),
            pools[-1] if pools else None,
        )


class IpamDriver:
    """The calls ``IpamDriver.…``; `pools4` is what pools are cut from where users don't say."""

    def __init__(
        self, records: Records, pending: PendingPools, project: str, pools4: Network, *, wide: bool
    ) -> None:
        self._records = records
        self._pending = pending
        self._project = project
        self._pools4 = pools4
        self._wide = wide

    def capabilities(self, _session: Session, _call: Fields) -> dict[str, Any]:
        return {"RequiresMACAddress": True, "RequiresRequestReplay": False}

    def address_spaces(self, _session: Session, _call: Fields) -> dict[str, Any]:
        return {
            "LocalDefaultAddressSpace": LOCAL_SPACE,
            "GlobalDefaultAddressSpace": GLOBAL_SPACE,
        }

    def request_pool(self, session: Session, call: Fields) -> dict[str, Any]:
        space = call.text("AddressSpace")
        if space not in SPACES:
            raise RefusedCallError(f"there is no address space {space!r} here")
        network, part = call.network("Pool"), call.network("SubPool")
        version = 6 if call.flag("V6") else 4 if network is None else network.version
        if network is not None and network.version != version:
            raise RefusedCallError(f"{network} is no IPv6 network")
        switch, project = pool_options(call.object("Options").texts())
        host = "" if self._wide or space == GLOBAL_SPACE else self._records.host
        project = project or self._project
        if switch is not None:
            network = self._on_switch(session, switch, project, version, network, part)
        elif network is None:
            network = self._free(session, host, version)
        check_pool(network, part)
        pool = Pool(host, project, switch, network, part)
        if host:  # the nodes of a swarm all ask for the pools of its networks
            check_is_free(self._records, session, pool, "")
        self._pending.add(pool)
        return {"PoolID": pool.id, "Pool": str(network), "Data": {}}

    def _on_switch(
        self,
        session: Session,
        ref: str,
        project: str,
        version: int,
        network: Network | None,
        part: Network | None,
    ) -> Network:
        """The addresses of a pool on the switch that was asked for, which may be still to make."""
        switch = session.find(f"/v1/logical-switches/{ref}", project)
        if switch is None:
            if network is None:
                raise RefusedCallError(
                    f"there is no switch {ref} in project {project}; with --subnet it is made"
                )
            return network
        subnet = switch[f"subnet{version}"]
        if subnet is None:
            raise RefusedCallError(f"switch {ref} has no subnet{version}")
        if network is not None and str(network) != subnet:
            raise RefusedCallError(f"subnet{version} of switch {ref} is {subnet}, not {network}")
        if part is not None:
            raise RefusedCallError(
                f"--ip-range: switch {ref} is there already; what it doesn't give out is said by "
                "its exclude_ips"
            )
        return ipaddress.ip_network(subnet)

    def _free(self, session: Session, host: str, version: int) -> Network:
        """Addresses that no pool of the host has."""
        taken = self._pending.networks()
        query = {f"label.{ids.ROLE}": "switch", f"label.{ids.HOST}": host or None}
        for switch in session.items("/v1/logical-switches", query):
            subnet = switch[f"subnet{version}"]
            if subnet is not None:
                taken.add(ipaddress.ip_network(subnet))
        within = self._pools4 if version == 4 else None
        network = next(free_pools(host, within, taken), None)
        if network is None:
            raise RefusedCallError(f"all of {self._pools4} is used: say --subnet")
        return network

    def release_pool(self, _session: Session, call: Fields) -> dict[str, Any]:
        """Nothing is kept for a pool: its switch goes with the last network."""
        self._pending.remove(parse_pool(call.text("PoolID")))
        return {}

    def request_address(self, session: Session, call: Fields) -> dict[str, Any]:
        pool = parse_pool(call.text("PoolID"))
        address = call.address("Address")
        options = call.object("Options")
        if address is not None:
            _check_host(address, pool.network)
        if options.text(_REQUEST_TYPE) == _GATEWAY:
            gateway = address or self._gateway(session, pool)
            return {"Address": pool.with_length(gateway), "Data": {}}
        record = self._records.of_pool(session, pool)
        mac = options.mac(_MAC)
        if record is None:
            if address is None or mac is not None:
                raise RefusedCallError(f"no network has the pool {pool.network}")
            # An address that is to be kept free: the network, which is made next, does that.
            return {"Address": pool.with_length(address), "Data": {}}
        if address is not None and str(address) in (record.gateway4, record.gateway6):
            raise RefusedCallError(f"{address} is the gateway's")
        host = self._records.host
        if mac is None:
            # The manager of a swarm chooses addresses before there is an interface, or a host.
            host = host if pool.host else ids.SWARM
            mac = ids.made_up_mac(f"{pool.id} {address or uuid.uuid4()}")
        held = _Reservation(session, record, host, pool, mac).claim(address)
        return {"Address": pool.with_length(held), "Data": {}}

    def _gateway(self, session: Session, pool: Pool) -> IpAddress:
        """The address of a router on the switch, if there is one; else the first of the pool."""
        if pool.switch is not None:
            query = {
                "logical_switch": pool.switch,
                "type": "router",
                "project": pool.project,
            }
            if session.find(f"/v1/logical-switches/{pool.switch}", pool.project) is not None:
                for port in session.items(PORTS, query):
                    for network in router_networks(session, port):
                        interface = ipaddress.ip_interface(network)
                        if interface.network == pool.network:
                            return interface.ip
        return first_host(pool.network)

    def release_address(self, session: Session, call: Fields) -> dict[str, Any]:
        """Delete the port that holds an address; usually the endpoint's deletion did that."""
        pool = parse_pool(call.text("PoolID"))
        address = call.address("Address")
        record = self._records.of_pool(session, pool)
        if record is None or address is None:
            return {}
        for host in (self._records.host,) if pool.host else (self._records.host, ids.SWARM):
            query = {
                "logical_switch": record.switch,
                f"label.{ids.ROLE}": "endpoint",
                f"label.{ids.HOST}": host,
            }
            for port in list(session.items(PORTS, query)):
                if str(address) in port_addresses(port).ips:
                    session.delete(f"{PORTS}/{port['id']}")
        return {}


class _Reservation:
    """The port that holds the addresses of one interface to be."""

    def __init__(
        self, session: Session, record: NetworkRecord, host: str, pool: Pool, mac: str
    ) -> None:
        self._session = session
        self._record = record
        self._host = host
        self._pool = pool
        self._mac = mac
        self._id = ids.port_id(record.switch, mac)

    def claim(self, address: IpAddress | None) -> IpAddress:
        """Have the port hold `address`, or any; return which."""
        values = {
            "id": self._id,
            "logical_switch": self._record.switch,
            "project": self._record.project,
            "display_name": f"reserved for Docker on {self._host}"[:255],
            "addresses": [f"{self._mac} {'dynamic' if address is None else address}"],
            "labels": {
                ids.ROLE: "endpoint",
                ids.HOST: self._host,
                ids.NETWORK: self._record.network,
            },
        }
        create = {"action": "create", "kind": "logical_switch_port", "values": values}
        try:
            made = self._session.change([create], self._record.project)[0]["object"]
        except RefusedError as error:
            if not error.taken:
                raise
            port = self._session.find(f"{PORTS}/{self._id}")
            if port is not None:
                return self._claim_besides(port, address)
            reserved = self._reserved_for_swarm(error)
            if reserved is None:
                raise
            removal = {"action": "delete", "kind": "logical_switch_port", "ref": reserved}
            made = self._session.change([removal, create], self._record.project)[1]["object"]
        held = self._held(made)
        if held is None:
            raise RefusedCallError(f"{self._pool.network} isn't the switch's subnet any more")
        return held

    def _reserved_for_swarm(self, error: RefusedError) -> str | None:
        """The port by which a swarm's manager holds the address until a node has the interface."""
        for holder in error.problem.get("referents") or ():
            port = self._session.find(f"{PORTS}/{holder['id']}")
            labels = {} if port is None else port["labels"]
            if labels.get(ids.HOST) == ids.SWARM and labels.get(ids.ROLE) == "endpoint":
                return str(holder["id"])
        return None

    def _held(self, port: dict[str, Any]) -> IpAddress | None:
        """The address of the pool's family that a port has."""
        addresses = map(ipaddress.ip_address, port_addresses(port).ips)
        return next((each for each in addresses if each in self._pool.network), None)

    def _claim_besides(self, port: dict[str, Any], address: IpAddress | None) -> IpAddress:
        """Have the port that is there, for the other family or from an earlier try, hold it."""
        labels = port["labels"]
        if labels.get(ids.ROLE) != "endpoint" or labels.get(ids.ENDPOINT):
            raise RefusedCallError(f"MAC address {self._mac} is that of port {port['name']}")
        held = self._held(port)
        if held is not None and address in (None, held):
            return held
        chosen = address or self._from_mac()
        others = [
            each
            for each in port_addresses(port).ips
            if ipaddress.ip_address(each).version != self._pool.network.version
        ]
        update = {
            "action": "update",
            "kind": "logical_switch_port",
            "ref": self._id,
            "values": {"addresses": [" ".join([self._mac, *others, str(chosen)])]},
        }
        self._session.change([update], self._record.project)
        return chosen

    def _from_mac(self) -> IpAddress:
        """The address that the interface gives itself in the network (RFC 4291, appendix A)."""
        if self._pool.network.version == 4:
            raise RefusedCallError("an endpoint's IPv4 address has to be asked for first")
        octets = bytes.fromhex(self._mac.replace(":", ""))
        low = bytes([octets[0] ^ 2]) + octets[1:3] + b"\xff\xfe" + octets[3:]
        return self._pool.network.network_address + int.from_bytes(low)


def check_is_free(records: Records, session: Session, pool: Pool, network: str) -> None:
    """Refuse a pool of which not even its switch would tell what it is from that of another
    network than `network`."""
    record = None if pool.switch is not None else records.of_pool(session, pool)
    if record is not None and record.network != network:
        raise RefusedCallError(
            f"{pool.network} is network {record.network[:12]}'s already; to have another network "
            "with these addresses, name a switch: -o treadle.switch=… with --ipam-opt "
            "treadle.switch=…"
        )


def router_networks(session: Session, port: dict[str, Any]) -> list[str]:
    """Return the addresses, with prefix lengths, of the router port that a port leads to."""
    path = f"/v1/logical-router-ports/{port['router_port']}"
    router_port = session.find(path, str(port["project"]))
    return [] if router_port is None else list(router_port["networks"])


def _check_host(address: IpAddress, network: Network) -> None:
    """Refuse an address that no host of the network can have."""
    if address not in network:
        raise RefusedCallError(f"{address} is not in {network}")
    last = network.broadcast_address if network.version == 4 else None
    if address in (network.network_address, last):
        raise RefusedCallError(f"{address} is no host's in {network}")
