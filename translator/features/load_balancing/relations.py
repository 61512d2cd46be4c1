"""Which virtual addresses are on which switches, and what is behind them."""

from collections.abc import Iterator
from typing import NamedTuple

from incremental import Read
from translator.features.load_balancing.inputs import LoadBalancer, LoadBalancerVip


def vips_of_balancer(vip: str, row: LoadBalancerVip) -> Iterator[tuple[str, str]]:
    """Load balancer -> its virtual addresses."""
    yield row.load_balancer, vip


def vips_on_switch(read: Read, pair: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """The virtual addresses that a load balancer brings to a switch."""
    balancer, switch = pair
    return tuple((switch, vip) for vip in read.members(vips_of_balancer, balancer))


def vip_placements(
    _key: object, placements: tuple[tuple[str, str], ...]
) -> Iterator[tuple[str, str]]:
    """Switch -> the virtual addresses on it."""
    yield from placements


class Front(NamedTuple):
    """What flows have to know of a virtual address: all but which backends there are."""

    address: bytes
    port: int | None
    protocol: str
    has_backends: bool
    rejects: bool = False
    """Whether it tells clients that it has no backend."""
    hash_fields: str = ""
    """What alone the choice of a backend follows from; empty for addresses and ports."""
    hairpin_source: bytes = b""
    """Whom a client sees ask that is its own backend; empty for the virtual address."""


def front(read: Read, vip: str) -> Front | None:
    """A virtual address without its backends, so that flows don't ask for those."""
    row = read(LoadBalancerVip, vip)
    balancer = None if row is None else read(LoadBalancer, row.load_balancer)
    if row is None or balancer is None:
        return None
    protocol = balancer.protocol if row.port is not None else ""
    family = len(row.address)
    return Front(
        row.address,
        row.port,
        protocol,
        bool(row.backends),
        balancer.reject,
        hash_fields="ip_src" if balancer.affinity_timeout else ",".join(balancer.selection_fields),
        hairpin_source=next((ip for ip in balancer.hairpin_snat_ips if len(ip) == family), b""),
    )


def backends_set(vip: str) -> str:
    """Return the name of the set that holds the backends of a virtual address."""
    return f"&{vip}"


def backend_members(read: Read, vip: str) -> tuple[tuple[str, str], ...]:
    """The set of backends, and its members."""
    row = read(LoadBalancerVip, vip)
    return () if row is None else tuple((backends_set(vip), each) for each in row.backends)
