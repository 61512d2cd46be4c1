"""Address management of switches: who holds which address, and dynamic ones.

Each MAC and IP address of a port is *claimed* on its switch; a second claim by
another port is a conflict. Dynamic IPv4 addresses come from the switch's
``subnet4``, of which the network's, the first host's and the broadcast address
and those in ``exclude_ips`` are never given out; a dynamic IPv6 address is the
EUI-64 one of the port's MAC address in ``subnet6``. A port keeps its dynamic
addresses as long as they fit its switch.
"""

import hashlib
import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Integer, bindparam, delete, insert, select

from northbound.addresses import PortAddress, eui64, parse_port_address, parse_ranges
from northbound.allocation import Pool, switch_pool
from northbound.errors import InvalidError
from northbound.inserting import batched
from northbound.models import AddressClaim, LogicalSwitch, LogicalSwitchPort
from northbound.transaction import Transaction

_Key = tuple[str, str]

_OF_SWITCH = AddressClaim.logical_switch_id == bindparam("switch")
_HOLDERS = select(AddressClaim.address, AddressClaim.logical_switch_port_id).where(
    _OF_SWITCH, AddressClaim.address.in_(bindparam("addresses", expanding=True))
)
_NUMBERS = (
    select(AddressClaim.number)
    .where(_OF_SWITCH, AddressClaim.number.between(bindparam("first"), bindparam("last")))
    .order_by(AddressClaim.number)
    .limit(bindparam("limit", type_=Integer))
)
_CLAIM = insert(AddressClaim)
_RELEASE = delete(AddressClaim).where(_OF_SWITCH, AddressClaim.address == bindparam("held"))


class AddressBook:
    """The claims of addresses, as one transaction sees and changes them."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._stored: dict[_Key, str | None] = {}
        self._now: defaultdict[str, dict[str, str | None]] = defaultdict(dict)
        self._complete = False
        self._pools: dict[str, Pool] = {}
        tx.at_end(self._write)

    def load(self) -> None:
        """Read all claims in one query, before thousands of changes."""
        query = select(
            AddressClaim.logical_switch_id,
            AddressClaim.address,
            AddressClaim.logical_switch_port_id,
        )
        for switch, address, port in self._tx.session.execute(query):
            self._stored[switch, address] = port
        self._complete = True

    def holder(self, switch_id: str, address: str) -> str | None:
        """The id of the port that holds `address`."""
        now = self._now[switch_id]
        return now[address] if address in now else self._holder_stored((switch_id, address))

    def first_free(self, switch_id: str, addresses: Sequence[str]) -> str | None:
        """Return the first of `addresses` that no port holds; None where all are held."""
        self._read(switch_id, addresses)
        return next((each for each in addresses if self.holder(switch_id, each) is None), None)

    def claim(self, switch_id: str, port_id: str, addresses: Iterable[str]) -> _Key | None:
        """Claim `addresses` for a port; if another holds one, that address and its holder."""
        addresses = list(addresses)
        self._read(switch_id, addresses)
        pool = self._pools.get(switch_id)
        for address in addresses:
            holder = self.holder(switch_id, address)
            if holder is not None and holder != port_id:
                return address, holder
            self._now[switch_id][address] = port_id
            number = None if pool is None else _number(address)
            if pool is not None and number is not None:
                pool.mark(number)
        return None

    def release(self, switch_id: str, port_id: str, addresses: Iterable[str]) -> None:
        """Give up those of `addresses` that the port holds."""
        addresses = list(addresses)
        self._read(switch_id, addresses)
        for address in addresses:
            if self.holder(switch_id, address) == port_id:
                self._now[switch_id][address] = None

    def forget_pool(self, switch_id: str) -> None:
        """Tell that a switch's subnet or exclusions have changed."""
        self._pools.pop(switch_id, None)

    def pool4(self, switch: LogicalSwitch, subnet4: str) -> Pool:
        """What dynamic IPv4 addresses of `switch` are taken from."""
        if switch.id not in self._pools:
            self._pools[switch.id] = self._make_pool(switch, ipaddress.IPv4Network(subnet4))
        return self._pools[switch.id]

    def _make_pool(self, switch: LogicalSwitch, network: ipaddress.IPv4Network) -> Pool:
        first, last = int(network.network_address), int(network.broadcast_address)

        def taken(start: int, limit: int) -> Sequence[int]:
            values = {"switch": switch.id, "first": start, "last": last, "limit": limit}
            numbers = self._tx.connection.execute(_NUMBERS, values).scalars()
            return [number for number in numbers if number is not None]

        pool = Pool(
            self._tx,
            switch_pool(switch.id),
            f"subnet {network} of {switch.name!r}",
            first + 2,
            last - 1,
            taken,
            parse_ranges(switch.exclude_ips),
        )
        for address, port in self._now[switch.id].items():
            number = _number(address)
            if port is not None and number is not None:
                pool.mark(number)
        return pool

    def _holder_stored(self, key: _Key) -> str | None:
        if key not in self._stored:
            self._read(key[0], [key[1]])
        return self._stored.get(key)

    def _read(self, switch_id: str, addresses: Sequence[str]) -> None:
        """Read who holds those of `addresses` of which that isn't known yet."""
        if self._complete:
            return
        unread = [each for each in addresses if (switch_id, each) not in self._stored]
        for some in batched(unread):
            self._stored.update(((switch_id, address), None) for address in some)
            values = {"switch": switch_id, "addresses": some}
            for address, port in self._tx.connection.execute(_HOLDERS, values):
                self._stored[switch_id, address] = port

    def _write(self) -> None:
        gone: list[dict[str, str]] = []
        come: list[dict[str, Any]] = []
        for switch, addresses in self._now.items():
            for address, port in addresses.items():
                stored = self._holder_stored((switch, address))
                if stored is not None and stored != port:
                    gone.append({"switch": switch, "held": address})
                if port is not None and stored != port:
                    come.append(
                        {
                            "logical_switch_id": switch,
                            "address": address,
                            "logical_switch_port_id": port,
                            "number": _number(address),
                        }
                    )
        if gone:
            self._tx.connection.execute(_RELEASE, gone)
        if come:
            self._tx.connection.execute(_CLAIM, come)


def effective(addresses: Sequence[str], dynamic_addresses: str | None) -> list[PortAddress]:
    """The elements of a port with a MAC address of their own, dynamic ones filled in.

    >>> [str(a) for a in effective(["dynamic", "unknown"], "0a:00:00:00:00:01 10.0.0.2")]
    ['0a:00:00:00:00:01 10.0.0.2']
    """
    elements = [parse_port_address(address) for address in addresses]
    if dynamic_addresses is not None:
        elements.append(parse_port_address(dynamic_addresses))
    return [element for element in elements if element.mac and not element.dynamic]


def dynamic_addresses(
    book: AddressBook, switch: LogicalSwitch, port: LogicalSwitchPort, wanted: Sequence[str]
) -> str | None:
    """What the dynamic element of `wanted` stands for: what `port` has, where it still fits."""
    elements = [parse_port_address(address) for address in wanted]
    element = next((element for element in elements if element.dynamic), None)
    if element is None:
        return None
    if element.dynamic_ip and switch.subnet4 is None and switch.subnet6 is None:
        raise InvalidError.of(
            "addresses",
            reason=f"no dynamic IP address: switch {switch.name!r} has neither subnet4 nor subnet6",
            value=list(wanted),
        )
    had = parse_port_address(port.dynamic_addresses) if port.dynamic_addresses else PortAddress()
    mac = element.mac or had.mac or _new_mac(book, switch.id, port.id)
    return " ".join([mac, *_ips(book, switch, element, had, mac)])


def _ips(
    book: AddressBook, switch: LogicalSwitch, wanted: PortAddress, had: PortAddress, mac: str
) -> list[str]:
    ip4 = [ip for ip in wanted.ips if "." in ip]
    ip6 = [ip for ip in wanted.ips if ":" in ip]
    if not ip4 and switch.subnet4 is not None:
        pool = book.pool4(switch, switch.subnet4)
        kept = [ip for ip in had.ips if "." in ip and pool.allows(int(ipaddress.IPv4Address(ip)))]
        ip4 = kept or [str(ipaddress.IPv4Address(pool.take()))]
    if not ip6 and switch.subnet6 is not None:
        ip6 = [eui64(ipaddress.IPv6Network(switch.subnet6), mac)]
    return [*ip4, *ip6]


def _new_mac(book: AddressBook, switch_id: str, seed: str) -> str:
    """A locally administered MAC address that no port holds, the same for the same port."""
    attempt = 0
    while True:
        mac = made_up_mac(f"{seed}/{attempt}")
        if book.holder(switch_id, mac) is None:
            return mac
        attempt += 1


def made_up_mac(seed: str) -> str:
    """A locally administered MAC address with 40 bits that follow from `seed`.

    >>> made_up_mac("web-1")[:3]
    '0a:'
    """
    digest = hashlib.blake2b(seed.encode(), digest_size=5).digest()
    return (b"\x0a" + digest).hex(":")


def _number(address: str) -> int | None:
    return int(ipaddress.IPv4Address(address)) if "." in address else None
