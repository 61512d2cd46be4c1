"""External addresses of NATs: in a network of their router's ports, and held on the switch there.

On the switch that such a port is attached to the address is that of the switch port that leads to
the router: no other port gets it, nor a NAT of another router. What a transaction takes away from
the networks of a router is checked at its end, so that NATs may move with them.
"""

import ipaddress
from collections.abc import Collection, Iterator

from northbound.errors import ConflictError, InvalidError, ReferencedError, Referent
from northbound.ipam import AddressBook
from northbound.models import LogicalRouterPort, LogicalSwitchPort
from northbound.models.nat import Nat
from northbound.services.lookups import referent
from northbound.services.nat_claims import nats_of
from northbound.services.nexthops import ports_of
from northbound.services.switch_ports import switch_port_towards
from northbound.transaction import Transaction


def hold_external_ip(tx: Transaction, nat: Nat) -> None:
    """Hold the address of a NAT on the switches around it; ConflictError if it is held there."""
    for attached in _attached(tx, nat):
        book = tx.helper(AddressBook)
        taken = book.claim(attached.logical_switch_id, attached.id, [nat.external_ip])
        if taken is not None:
            holder = tx.by_id(LogicalSwitchPort, taken[1])
            other = attached if holder is None else holder
            raise ConflictError(nat.__tablename__, "external_ip", nat.external_ip, referent(other))


def release_external_ip(tx: Transaction, nat: Nat, going: Collection[Nat] = ()) -> None:
    """Give up the address of a NAT, unless it is also that of another one or of a port.

    Those that are `going` with it need it no more.
    """
    same = nats_of(tx, nat.logical_router_id, nat.external_ip)
    ports = ports_of(tx, nat.logical_router_id)
    own = {network.split("/")[0] for port in ports for network in port.networks}
    if nat.external_ip in own or any(each is not nat and each not in going for each in same):
        return
    for attached in _attached(tx, nat):
        book = tx.helper(AddressBook)
        book.release(attached.logical_switch_id, attached.id, [nat.external_ip])


def _attached(tx: Transaction, nat: Nat) -> Iterator[LogicalSwitchPort]:
    """Yield the switch ports that lead to the router ports in whose networks a NAT is."""
    for port in ports_of(tx, nat.logical_router_id):
        if is_around(port, nat.external_ip):
            attached = switch_port_towards(tx, port)
            if attached is not None:
                yield attached


def is_around(port: LogicalRouterPort, address: str) -> bool:
    """Tell whether an address is in a network of a router port."""
    ip = ipaddress.ip_address(address)
    return any(ip in ipaddress.ip_interface(text).network for text in port.networks)


class NatNetworks:
    """The routers whose ports' networks a transaction changes: their NATs stay in them."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._routers: dict[str, Referent | None] = {}

    def changed(self, router_id: str, gone: Referent | None = None) -> None:
        """Check at the end that no external address of the router has lost its network.

        `gone` is a port that is deleted.
        """
        if not self._routers:
            self._tx.at_end(self._check)
        self._routers[router_id] = gone or self._routers.get(router_id)

    def _check(self) -> None:
        routers, self._routers = self._routers, {}
        for router_id, gone in routers.items():
            nats = nats_of(self._tx, router_id)
            ports = {port.id: port for port in ports_of(self._tx, router_id)} if nats else {}
            for nat in nats:
                at = None if nat.gateway_port_id is None else ports.get(nat.gateway_port_id)
                around = ports.values() if at is None else [at]
                if nat.routed or any(is_around(port, nat.external_ip) for port in around):
                    continue
                if gone is not None:
                    raise ReferencedError(gone, [referent(nat)])
                reason = f"{referent(nat)} needs a network with {nat.external_ip}"
                raise InvalidError.of("networks", reason=reason, value=nat.external_ip)
