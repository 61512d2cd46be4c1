"""The network driver's calls that are about networks.

A network of Docker's is on one logical switch. That is the one which its options name, which may
be shared with other hosts and with all that is no container; else one that is made for it. What
the driver made, it takes away with the last network on the switch; what was there, it leaves.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from integrations.client import RefusedError
from integrations.docker import ids
from integrations.docker.errors import RefusedCallError
from integrations.docker.fields import Fields, Interface, IpAddress, Network
from integrations.docker.ipam import PendingPools, check_is_free, router_networks
from integrations.docker.options import NetworkOptions, network_options
from integrations.docker.pools import SPACES, Pool, exclusions, first_host
from integrations.docker.records import PORTS, NetworkRecord, Records
from integrations.docker.session import Operation, Session

_GENERIC = "com.docker.network.generic"
_INTERNAL = "com.docker.network.internal"
_SWITCHES = "/v1/logical-switches"
_ATTEMPTS = 3
"""How often a change is worked out anew after another host's had come first."""


class Subnet(NamedTuple):
    """The addresses of one family of a network, as Docker tells them."""

    network: Network
    gateway: Interface | None
    kept: tuple[IpAddress, ...]
    """Addresses that are to be kept free (``--aux-address``)."""
    pool: Pool | None
    """The pool that they are, if this driver gave it out."""

    @property
    def gateway_text(self) -> str:
        return "" if self.gateway is None else str(self.gateway.ip)

    @property
    def kept_addresses(self) -> tuple[IpAddress, ...]:
        """All that no container is to get."""
        return self.kept if self.gateway is None else (self.gateway.ip, *self.kept)


class Plan(NamedTuple):
    """What a network is to be."""

    network: str
    options: NetworkOptions
    project: str
    switch: str | None
    subnet4: Subnet | None
    subnet6: Subnet | None
    internal: bool

    @property
    def subnets(self) -> tuple[Subnet, ...]:
        return tuple(each for each in (self.subnet4, self.subnet6) if each is not None)

    def cause(self, host: str) -> str:
        """What the id of the switch follows from, if one is made."""
        if self.switch is not None:
            return f"name {self.project} {self.switch}"
        pool = next((each.pool for each in self.subnets if each.pool is not None), None)
        return f"network {host} {self.network}" if pool is None else f"pool {pool.id}"


class NetworkDriver:
    """The calls ``NetworkDriver.…Network``; `wide` is the scope of a whole swarm."""

    def __init__(
        self, records: Records, pending: PendingPools, project: str, *, wide: bool
    ) -> None:
        self._records = records
        self._swarm = Records(ids.SWARM)
        self._pending = pending
        self._project = project
        self._wide = wide

    def capabilities(self, _session: Session, _call: Fields) -> dict[str, Any]:
        scope = "global" if self._wide else "local"
        return {"Scope": scope, "ConnectivityScope": "global", "GwAllocChecker": False}

    def check_gateways(self, _session: Session, _call: Fields) -> dict[str, Any]:
        return {"SkipIPv4": False, "SkipIPv6": False}

    def allocate(self, session: Session, call: Fields) -> dict[str, Any]:
        """Make a network of a whole swarm; its hosts are told its options again."""
        options = call.object("Options").texts()
        self._create(session, self._plan(call, options, internal=False), self._swarm)
        return {"Options": options}

    def free(self, session: Session, call: Fields) -> dict[str, Any]:
        return self._delete(session, call.docker_id("NetworkID"), self._swarm)

    def create(self, session: Session, call: Fields) -> dict[str, Any]:
        options = call.object("Options")
        generic = options.object(_GENERIC).texts()
        plan = self._plan(call, generic, internal=options.flag(_INTERNAL))
        return self._create(session, plan, self._records)

    def delete(self, session: Session, call: Fields) -> dict[str, Any]:
        return self.remove(session, call.docker_id("NetworkID"))

    def remove(self, session: Session, network: str) -> dict[str, Any]:
        """Take a network of this host away; nothing is done if there is none."""
        return self._delete(session, network, self._records)

    # What it is to be

    def _plan(self, call: Fields, options: dict[str, str], *, internal: bool) -> Plan:
        network = call.docker_id("NetworkID")
        said = network_options(options)
        subnet4 = self._subnet(call, "IPv4Data", 4, said)
        subnet6 = self._subnet(call, "IPv6Data", 6, said)
        pools = [each.pool for each in (subnet4, subnet6) if each is not None and each.pool]
        switches = {each.switch for each in pools if each.switch is not None} | (
            {said.switch} if said.switch is not None else set()
        )
        projects = {each.project for each in pools} or {said.project or self._project}
        if said.project is not None:
            projects.add(said.project)
        for what, names in (("switch", switches), ("project", projects)):
            if len(names) > 1:
                raise RefusedCallError(
                    f"-o treadle.{what} and --ipam-opt treadle.{what} differ: {sorted(names)}"
                )
        return Plan(
            network,
            said,
            next(iter(projects)),
            next(iter(switches), None),
            subnet4,
            subnet6,
            internal,
        )

    def _subnet(
        self, call: Fields, name: str, version: int, options: NetworkOptions
    ) -> Subnet | None:
        data = [each for each in call.objects(name) if each.text("Pool") not in ("", "0.0.0.0/0")]
        if len(data) > 1:
            raise RefusedCallError(f"{name}: a network has one subnet of each family")
        if not data:
            return None
        network = data[0].network("Pool")
        if network is None or network.version != version:
            raise RefusedCallError(f"{name}: {network} is no IPv{version} network")
        kept = data[0].object("AuxAddresses")
        addresses = [address for each in kept.names() if (address := kept.address(each))]
        pool = None
        space = data[0].text("AddressSpace")
        # The manager of a swarm says no space, but has just asked for the pool.
        if space in SPACES or not space:
            pool = self._pending.find(network, options.switch)
        if pool is None and space in SPACES:
            host = "" if self._wide else self._records.host
            project = options.project or self._project
            pool = Pool(host, project, options.switch, network)
        return Subnet(network, data[0].interface("Gateway"), tuple(addresses), pool)

    # Making it

    def _create(self, session: Session, plan: Plan, records: Records) -> dict[str, Any]:
        if records.find(session, plan.network) is not None:
            return {}  # it is this call, made again
        for subnet in plan.subnets:
            if subnet.pool is not None:
                check_is_free(records, session, subnet.pool, plan.network)
        self._check_groups(session, plan)
        for attempt in range(1, _ATTEMPTS + 1):
            switch = self._existing_switch(session, plan, records.host)
            operations: list[Operation] = []
            if switch is None:
                switch_id = ids.switch_id(plan.cause(records.host))
                operations.append(_switch_creation(plan, switch_id, records.host))
            else:
                switch_id = str(switch["id"])
                _check_subnets(plan, switch)
            if plan.options.router is not None:
                operations += _router_operations(session, plan, switch_id, switch is not None)
            record = _record(plan, switch_id, records.host)
            claimed = [] if switch is None else _to_claim(session, plan, switch)
            operations.append(record.creation(claimed))
            try:
                session.change(operations, plan.project)
            except RefusedError as error:
                # Another host made the switch, or removed it, since we looked.
                if attempt == _ATTEMPTS or not (error.taken or error.missing):
                    raise
                if records.find(session, plan.network) is not None:
                    break
            else:
                records.add(record)
                break
        for subnet in plan.subnets:
            if subnet.pool is not None:
                self._pending.remove(subnet.pool)
        return {}

    def _check_groups(self, session: Session, plan: Plan) -> None:
        for group in plan.options.groups:
            if session.find(f"/v1/port-groups/{group}", plan.project) is None:
                raise RefusedCallError(
                    f"treadle.acl-profile: project {plan.project} has no port group {group}"
                )

    def _existing_switch(self, session: Session, plan: Plan, host: str) -> dict[str, Any] | None:
        if plan.switch is not None:
            return session.find(f"{_SWITCHES}/{plan.switch}", plan.project)
        return session.find(f"{_SWITCHES}/{ids.switch_id(plan.cause(host))}")

    # Taking it away

    def _delete(self, session: Session, network: str, records: Records) -> dict[str, Any]:
        for _ in range(_ATTEMPTS):
            records.forget(network)
            record = records.find(session, network)
            records.forget(network)
            if record is None:
                return {}
            own = _own_deletions(session, record)
            if not _try_each(session, record, [[*own, *made] for made in _made(session, record)]):
                _try_each(session, record, [own])
                # Others may have removed theirs just now, and left the rest because of this one.
                _try_each(session, record, _made(session, record))
        raise RefusedCallError(f"network {network[:12]} changes all the time; try again")


def _try_each(
    session: Session, record: NetworkRecord, choices: Sequence[Sequence[Operation]]
) -> bool:
    """Make the first change that can be made; return whether one was.

    What others use can't be removed, and what others have removed is gone.
    """
    for operations in choices:
        try:
            session.change(operations, record.project)
        except RefusedError as error:
            if error.type != "referenced" and not error.missing:
                raise
        else:
            return True
    return False


def _switch_creation(plan: Plan, switch_id: str, host: str) -> Operation:
    subnet4, subnet6 = plan.subnet4, plan.subnet6
    values: dict[str, Any] = {
        "id": switch_id,
        "name": plan.switch or f"docker-{plan.network[:12]}",
        "project": plan.project,
        "display_name": f"network {plan.network[:12]} of Docker",
        "labels": {ids.ROLE: "switch", ids.HOST: host},
    }
    # Without a pool of ours Docker gives addresses out, and Treadle must not give out the same.
    if subnet4 is not None and subnet4.pool is not None:
        values["subnet4"] = str(subnet4.network)
        values["exclude_ips"] = exclusions(
            subnet4.network, subnet4.pool.part, subnet4.kept_addresses
        )
    if subnet6 is not None and subnet6.pool is not None:
        values["subnet6"] = str(subnet6.network)
    return {"action": "create", "kind": "logical_switch", "values": values}


def _check_subnets(plan: Plan, switch: dict[str, Any]) -> None:
    for subnet in plan.subnets:
        field = f"subnet{subnet.network.version}"
        has = switch[field]
        if has is None and subnet.pool is None:
            continue
        if has != str(subnet.network):
            raise RefusedCallError(
                f"{field} of switch {switch['name']} is {has or 'not there'}, not {subnet.network}"
            )


def _record(plan: Plan, switch_id: str, host: str) -> NetworkRecord:
    subnet4, subnet6 = plan.subnet4, plan.subnet6
    return NetworkRecord(
        host=host,
        network=plan.network,
        project=plan.project,
        switch=switch_id,
        pool4=_pool_key(subnet4),
        pool6=_pool_key(subnet6),
        gateway4="" if subnet4 is None else subnet4.gateway_text,
        gateway6="" if subnet6 is None else subnet6.gateway_text,
        groups=plan.options.groups,
        mtu=plan.options.mtu,
        port_security=plan.options.port_security,
        ignore_published_ports=plan.options.ignore_published_ports,
        internal=plan.internal,
        interface_prefix=plan.options.interface_prefix,
    )


def _pool_key(subnet: Subnet | None) -> str:
    return "" if subnet is None or subnet.pool is None else ids.pool_key(subnet.pool.id)


def _to_claim(session: Session, plan: Plan, switch: dict[str, Any]) -> list[str]:
    """Addresses to keep free on a switch that was there, which may give them out otherwise.

    The first one of a subnet it never gives out, and a router may get it still. What a port has
    already, a router's for one, is kept free by that.
    """
    subnet = plan.subnet4
    if subnet is None:
        return []
    taken = _addresses_in_use(session, switch) if subnet.kept_addresses else set()
    chosen = (
        str(address)
        for address in dict.fromkeys(subnet.kept_addresses)
        if address != first_host(subnet.network)
    )
    return [address for address in chosen if address not in taken]


def _addresses_in_use(session: Session, switch: dict[str, Any]) -> set[str]:
    taken: set[str] = set()
    for port in session.items(PORTS, {"logical_switch": str(switch["id"])}):
        if port["type"] == "router":
            taken |= {network.split("/")[0] for network in router_networks(session, port)}
        else:
            taken |= {word for each in port["addresses"] for word in each.split()}
            taken |= set((port["dynamic_addresses"] or "").split())
    return taken


def _router_operations(
    session: Session, plan: Plan, switch_id: str, switch_is_there: bool
) -> list[Operation]:
    """Have the network's gateway be a port of the router that its options name."""
    name = plan.options.router or ""
    router = session.find(f"/v1/logical-routers/{name}", plan.project)
    gateways = [
        f"{subnet.gateway.ip}/{subnet.network.prefixlen}"
        for subnet in plan.subnets
        if subnet.gateway is not None
    ]
    if not gateways:
        raise RefusedCallError("treadle.router: the network has no gateway for it to be")
    if switch_is_there and router is not None:
        query = {"logical_switch": switch_id, "type": "router"}
        for port in session.items(PORTS, query):
            if set(gateways) <= set(router_networks(session, port)):
                return []
    operations: list[Operation] = []
    router_id = str(router["id"]) if router else ids.router_id(plan.project, name)
    if router is None:
        values = {
            "id": router_id,
            "name": name,
            "project": plan.project,
            "labels": {ids.ROLE: "router"},
        }
        operations.append({"action": "create", "kind": "logical_router", "values": values})
    port_id = ids.router_port_id(switch_id)
    router_port = {
        "id": port_id,
        "logical_router": router_id,
        "mac": ids.made_up_mac(port_id),
        "networks": gateways,
        "labels": {ids.ROLE: "router"},
    }
    switch_port = {
        "id": ids.router_switch_port_id(switch_id),
        "logical_switch": switch_id,
        "project": plan.project,
        "router_port": port_id,
        "labels": {ids.ROLE: "router"},
    }
    operations += [
        {"action": "create", "kind": "logical_router_port", "values": router_port},
        {"action": "create", "kind": "logical_switch_port", "values": switch_port},
    ]
    return operations


def _own_deletions(session: Session, record: NetworkRecord) -> list[Operation]:
    """The removal of the network's own ports: its record, and what endpoints left behind."""
    return [
        _deletion("logical_switch_port", str(port["id"]))
        for port in session.items(PORTS, {f"label.{ids.NETWORK}": record.network})
        if port["labels"].get(ids.HOST) == record.host
    ]


def _made(session: Session, record: NetworkRecord) -> list[list[Operation]]:
    """The removal of what was made for the network and no other one needs; the most comes first.

    Nothing where another network is on the switch, or all was there before.
    """
    query = {"logical_switch": record.switch, f"label.{ids.ROLE}": "network"}
    switch = session.find(f"{_SWITCHES}/{record.switch}")
    if switch is None or any(port["id"] != record.id for port in session.items(PORTS, query)):
        return []
    made_switch = switch["labels"].get(ids.ROLE) == "switch"
    of_switch = [_deletion("logical_switch", record.switch)] if made_switch else []
    router_port = session.find(f"/v1/logical-router-ports/{ids.router_port_id(record.switch)}")
    if router_port is None:
        return [of_switch] if of_switch else []
    routing = [
        _deletion("logical_switch_port", ids.router_switch_port_id(record.switch)),
        _deletion("logical_router_port", str(router_port["id"])),
    ]
    choices = [[*routing, *of_switch], routing] if of_switch else [routing]
    name = router_port["logical_router"]
    router = session.find(f"/v1/logical-routers/{name}", str(router_port["project"]))
    if router is not None and router["labels"].get(ids.ROLE) == "router":
        choices.insert(0, [*choices[0], _deletion("logical_router", str(router["id"]))])
    return choices


def _deletion(kind: str, ref: str) -> Operation:
    return {"action": "delete", "kind": kind, "ref": ref}
