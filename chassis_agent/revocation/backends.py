"""Which connections to virtual addresses have lost their backend, or have none. Pure."""

from collections.abc import Iterable
from ipaddress import ip_address
from typing import Final, NamedTuple

from chassis_agent.derivations.live_backends import LiveBackends
from chassis_agent.openflow.messages import ICMP_PROTOCOLS
from chassis_agent.punt import codec
from chassis_agent.revocation.conntrack import FROM_EGRESS, TrackedConnection
from logical_flow.backends import backends_of
from southbound.rows import VirtualAddress

_PROTOCOLS: Final = {
    "tcp": codec.PROTOCOL_TCP,
    "udp": codec.PROTOCOL_UDP,
    "sctp": codec.PROTOCOL_SCTP,
}
_ANY: Final = 0


class _Front(NamedTuple):
    """What connections are to; port and protocol are 0 where it is for the whole address."""

    address: bytes
    port: int
    protocol: int


class Fronts:
    """What a datapath has at some virtual addresses, with the backends that are in use.

    `gone` are those that it had before: if no other has taken their place, they have no backend.
    Connections to other addresses are none of theirs, and have lost nothing.
    """

    def __init__(self, live: Iterable[LiveBackends], gone: Iterable[VirtualAddress] = ()) -> None:
        self._gone = {_front(row): row.ends_connections for row in gone}
        self._backends: dict[_Front, tuple[bool, frozenset[tuple[bytes, int]]]] = {}
        for each in live:
            row, front = each.row, _front(each.row)
            backends = backends_of(each.members)
            known = frozenset((backend.address.packed, backend.port) for backend in backends)
            self._backends[front] = (row.ends_connections, known)

    def has_lost_backend(self, connection: TrackedConnection) -> bool:
        """Return whether a connection goes to what is no backend of its address.

        One that isn't translated was there before the address: it would never get a backend.
        What the egress pipeline let in to a port asked for none.
        """
        original, gone = connection.original, self._gone
        to = connection.translated
        if to is None:
            if connection.mark & FROM_EGRESS:
                return False
            to, gone = original, {}
        if original.lacks_ports:
            return self._has_lost_all(original.destination.packed, to.destination.packed)
        address = original.destination.packed
        has_port = original.protocol not in ICMP_PROTOCOLS
        port = original.destination_port if has_port else _ANY
        exact = self._backends.get(_Front(address, port, original.protocol))
        if exact is not None and has_port:
            ends, backends = exact
            return ends and (to.destination.packed, to.destination_port) not in backends
        entire = _Front(address, _ANY, _ANY)
        ends, backends = self._backends.get(entire, (gone.get(entire, False), frozenset()))
        keeps_port = not has_port or to.destination_port == original.destination_port
        if keeps_port and (to.destination.packed, _ANY) in backends:
            return False  # also if an address with its port is gone: this one took its place
        if has_port:
            return gone.get(_Front(address, port, original.protocol), ends)
        return ends

    def _has_lost_all(self, address: bytes, backend: bytes) -> bool:
        """Return whether associations of SCTP with an address, to any port, have no such backend.

        They can't be told apart, so all go on if one may.
        """
        own = (_ANY, codec.PROTOCOL_SCTP)
        live = [
            found
            for front, found in self._backends.items()
            if front.address == address and front.protocol in own
        ]
        if any(ip == backend for _, backends in live for ip, _ in backends):
            return False
        ends = [ends for ends, _ in live]
        ends += [
            ends
            for front, ends in self._gone.items()
            if front.address == address and front.protocol in own
        ]
        return bool(ends) and all(ends)


def _front(row: VirtualAddress) -> _Front:
    protocol = _PROTOCOLS.get(row.protocol, _ANY)
    return _Front(ip_address(row.address).packed, row.port, protocol)
