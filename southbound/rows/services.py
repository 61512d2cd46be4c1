"""Rows of what agents do by themselves: tell hosts, answer them, and watch next hops."""

from typing import ClassVar

from southbound.rows.base import Row, datapath_scope


class RouterAdvertisement(Row, frozen=True, array_like=True, tag="router_advertisement"):
    """What a router port tells hosts of its network (RFC 4861 section 4.2).

    `id` and `port` are the router port's. `body` is the ICMPv6 message after its checksum. It is
    told to those who ask, and without being asked every `min_interval` to `max_interval` seconds
    unless these are 0.
    """

    table: ClassVar[str] = "router_advertisement"

    id: str
    datapath: str
    port: str
    body: bytes
    min_interval: int = 0
    max_interval: int = 0

    @property
    def key(self) -> str:
        return self.id

    @property
    def scopes(self) -> tuple[str, ...]:
        return (datapath_scope(self.datapath),)


class Announcement(Row, frozen=True, array_like=True, tag="announcement"):
    """Addresses that are at one MAC address on a switch that leads outside, and move at times.

    The chassis on which `port` is tells the provider network that they are there: the port is a
    redirect port, or any other that is on one chassis at a time. `id` is that of what has the
    addresses: a router port, a NAT. There is one address at least.
    """

    table: ClassVar[str] = "announcement"

    id: str
    datapath: str
    port: str
    mac: str
    addresses: tuple[str, ...]

    @property
    def key(self) -> str:
        return self.id

    @property
    def scopes(self) -> tuple[str, ...]:
        return (datapath_scope(self.datapath),)


class DnsName(Row, frozen=True, array_like=True, tag="dns_name"):
    """A name that workloads on a switch can look up.

    `id` is that of the record. `name` and `pointer` are in lower case, without the dot at the
    end. Of a name that is `owned` there is nothing else; one that `covers` speaks for all names
    below it, too, and has no addresses.
    """

    table: ClassVar[str] = "dns_name"

    id: str
    datapath: str
    name: str
    ttl: int
    addresses: tuple[str, ...] = ()
    pointer: str = ""
    owned: bool = False
    covers: bool = False

    @property
    def key(self) -> str:
        return f"{self.datapath}/{self.id}"

    @property
    def scopes(self) -> tuple[str, ...]:
        return (datapath_scope(self.datapath),)


class BfdSession(Row, frozen=True, array_like=True, tag="bfd_session"):
    """A BFD session of router port `port` with the host `neighbour` (RFC 5881).

    It is run where the port `resident` is, from the address `source`. Intervals are milliseconds.
    One whose `resident` is empty is run nowhere.
    """

    table: ClassVar[str] = "bfd_session"

    id: str
    datapath: str
    port: str
    resident: str
    source: str
    neighbour: str
    min_tx: int
    min_rx: int
    detect_mult: int
    enabled: bool = True

    @property
    def key(self) -> str:
        return self.id

    @property
    def scopes(self) -> tuple[str, ...]:
        return (datapath_scope(self.datapath),)


class BfdStatus(Row, frozen=True, array_like=True, tag="bfd_status"):
    """How the BFD session of that id is, by the chassis that runs it: a fact.

    `state` is ``admin-down``, ``down``, ``init`` or ``up``, the diagnostics are numbers of RFC 5880
    section 4.1, `since` seconds since the epoch on the server's clock.
    """

    table: ClassVar[str] = "bfd_status"

    id: str
    datapath: str
    chassis: str
    state: str
    diagnostic: int = 0
    remote_diagnostic: int = 0
    since: float = 0.0

    @property
    def key(self) -> str:
        return self.id

    @property
    def scopes(self) -> tuple[str, ...]:
        return (datapath_scope(self.datapath),)
