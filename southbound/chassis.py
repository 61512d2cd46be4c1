"""What a chassis may say of itself, and whose a tunnel address is.

A chassis is named by its system-id, for which it needs a credential. The rest of its row
is what it says of itself, and others act on that: they send their tunnel packets there.
So a row has bounds, and a tunnel address belongs to one chassis: while that one is alive
a second one is refused; an address of a dead chassis goes to the one that has it now, and
leaves the dead one's row. What host names stand for is :mod:`southbound.requested`'s to say.

Pure bookkeeping: no clock, no I/O.
"""

import ipaddress
from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from southbound.errors import NotAllowedError
from southbound.rows import Chassis

MAX_NAME: Final = 255
"""Characters of a system-id, a host name, or a key of the external ids."""

MAX_ENCAPS: Final = 16
MAX_EXTERNAL_IDS: Final = 64
MAX_EXTERNAL_ID: Final = 1024
"""Characters of one value of the external ids."""

DEFAULT_BRIDGE: Final = "br-int"
"""The integration bridge of a chassis that says no other."""
_BRIDGE: Final = "treadle-bridge"

ENCAP_TYPES: Final = ("geneve",)


class TunnelAddresses:
    """Which chassis have which tunnel address."""

    def __init__(self) -> None:
        self._rows: dict[str, Chassis] = {}
        self._by_address: dict[str, set[str]] = {}

    def put(self, row: Chassis) -> None:
        self.remove(row.name)
        self._rows[row.name] = row
        for encap in row.encaps:
            self._by_address.setdefault(encap.ip, set()).add(row.name)

    def remove(self, name: str) -> None:
        row = self._rows.pop(name, None)
        for encap in row.encaps if row else ():
            names = self._by_address[encap.ip]
            names.discard(name)
            if not names:
                del self._by_address[encap.ip]

    def check(self, row: Chassis) -> None:
        """Raises :class:`NotAllowedError` if one of the addresses is another live chassis'."""
        for encap in row.encaps:
            for other in sorted(self._by_address.get(encap.ip, ())):
                if other != row.name and self._rows[other].alive:
                    raise NotAllowedError(
                        f"the tunnel address {encap.ip} is that of chassis {other}, "
                        "which is alive: two hosts have the same treadle-encap-ip"
                    )

    def losing(self, row: Chassis) -> list[Chassis]:
        """The rows of other chassis that have addresses of `row`, without these."""
        taken = {encap.ip for encap in row.encaps}
        losers = {name for ip in taken for name in self._by_address.get(ip, ())} - {row.name}
        return [
            msgspec.structs.replace(
                self._rows[name],
                encaps=tuple(encap for encap in self._rows[name].encaps if encap.ip not in taken),
            )
            for name in sorted(losers)
        ]


class Usable(NamedTuple):
    """A chassis' row without tunnels of types that aren't known here, and these types."""

    row: Chassis
    unknown: tuple[str, ...]


def without_unknown_encaps(row: Chassis) -> Usable:
    """Leave out the tunnels of types that only newer releases know.

    >>> from southbound.rows import Encap
    >>> encaps = (Encap("vxlan", "192.0.2.1"), Encap("geneve", "192.0.2.1"))
    >>> usable = without_unknown_encaps(Chassis("hv1", encaps=encaps))
    >>> [encap.type for encap in usable.row.encaps], usable.unknown
    (['geneve'], ('vxlan',))
    """
    known = tuple(encap for encap in row.encaps if encap.type in ENCAP_TYPES)
    unknown = tuple(encap.type for encap in row.encaps if encap.type not in ENCAP_TYPES)
    return Usable(msgspec.structs.replace(row, encaps=known) if unknown else row, unknown)


def check_chassis(row: Chassis) -> None:
    """Whether a chassis may say this of itself; raises :class:`NotAllowedError` with the reason.

    Tunnel addresses are unicast, in canonical form, without a zone. Those of tunnels of a type
    that isn't known here may be anything: no packet goes there.
    """
    _check_text("the system-id", row.name)
    if not row.name:
        raise NotAllowedError("the system-id is empty")
    _check_text("the host name", row.hostname)
    if len(row.encaps) > MAX_ENCAPS:
        raise NotAllowedError(f"{len(row.encaps)} tunnel addresses, at most {MAX_ENCAPS} are taken")
    addresses = [encap.ip for encap in row.encaps if encap.type in ENCAP_TYPES]
    for encap in row.encaps:
        if encap.type not in ENCAP_TYPES:
            _check_text("a type of tunnels", encap.type)
            continue
        check_tunnel_address(encap.ip)
        if addresses.count(encap.ip) > 1:
            raise NotAllowedError(f"the tunnel address {encap.ip} is given twice")
    if len(row.external_ids) > MAX_EXTERNAL_IDS:
        raise NotAllowedError(f"{len(row.external_ids)} external ids, {MAX_EXTERNAL_IDS} are taken")
    for key, value in row.external_ids.items():
        _check_text("a key of the external ids", key)
        _check_text(f"the external id {key}", value, MAX_EXTERNAL_ID)


def bridge_ids(bridge: str) -> dict[str, str]:
    """Return the external ids by which a chassis says what its integration bridge is called."""
    return {} if bridge == DEFAULT_BRIDGE else {_BRIDGE: bridge}


def integration_bridge(row: Chassis) -> str:
    """Return what the integration bridge of a chassis is called, as it says itself."""
    return row.external_ids.get(_BRIDGE, DEFAULT_BRIDGE)


def check_tunnel_address(address: str) -> None:
    """Whether Geneve packets can be sent to `address`; raises :class:`NotAllowedError`."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        raise NotAllowedError(f"the tunnel address {_short(address)} is no IP address") from None
    reason = next(_reasons_against(ip), None)
    if reason is not None:
        raise NotAllowedError(f"the tunnel address {_short(address)} is {reason}")
    if str(ip) != address:
        raise NotAllowedError(f"the tunnel address {_short(address)} has to be written {ip}")


def _reasons_against(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> Iterator[str]:
    if ip.is_multicast:
        yield "a multicast address"
    if ip.is_unspecified or (ip.version == 4 and ip in _THIS_NETWORK):
        yield "no host's address"
    if ip.version == 4 and ip in _FUTURE_USE:
        yield "a broadcast or reserved address"
    if ip.version == 6 and (ip.is_link_local or ip.scope_id):
        yield "good for one link only"
    if ip.version == 6 and ip.ipv4_mapped is not None:
        yield "an IPv4 address written as IPv6"


_THIS_NETWORK = ipaddress.IPv4Network("0.0.0.0/8")
_FUTURE_USE = ipaddress.IPv4Network("240.0.0.0/4")


def _check_text(what: str, text: str, longest: int = MAX_NAME) -> None:
    if len(text) > longest:
        raise NotAllowedError(f"{what} has {len(text)} characters, at most {longest} are taken")
    if not text.isprintable():
        raise NotAllowedError(f"{what} has characters that cannot be printed: {_short(text)}")


def _short(text: str) -> str:
    return repr(text if len(text) <= 64 else text[:64] + "…")
