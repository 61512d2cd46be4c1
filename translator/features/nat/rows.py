"""The rows of NAT, with addresses ready for flows."""

from typing import Annotated, NamedTuple

from northbound.port_ranges import parse_port_range
from translator.addresses import Interface, interface, ip_bytes, mac_bytes
from translator.inputs import Column, input_table
from translator.names import port_image


def _port_range(text: str | None) -> tuple[int, int] | None:
    return parse_port_range(text) if text else None


def _mac(text: str | None) -> bytes:
    return mac_bytes(text) if text else b""


def _or_empty(value: str | None) -> str:
    return value or ""


class Nat(NamedTuple):
    """`logical` is an address, or what is translated the source of, with its prefix length.

    `logical_port` is a qualified name and `gateway_port` an id; they and `external_mac` may
    be empty. So may `allowed` and `exempted`, the ids of address sets, and `match`.
    """

    id: str
    router: Annotated[str, Column("logical_router_id")]
    type: str
    external_ip: Annotated[bytes, Column("external_ip", ip_bytes)]
    logical: Annotated[Interface, Column("logical_ip", interface)]
    ports: Annotated[tuple[int, int] | None, Column("external_port_range", _port_range)]
    logical_port: Annotated[str, Column("logical_port", _or_empty)]
    external_mac: Annotated[bytes, Column("external_mac", _mac)]
    gateway_port: Annotated[str, Column("gateway_port_id", _or_empty)]
    stateless: bool
    allowed: Annotated[str, Column("allowed_external_ips_id", _or_empty)] = ""
    exempted: Annotated[str, Column("exempted_external_ips_id", _or_empty)] = ""
    match: Annotated[str, Column("match", _or_empty)] = ""
    priority: int = 0

    @property
    def is_ip4(self) -> bool:
        return len(self.external_ip) == 4

    @property
    def incoming(self) -> bool:
        """Whether the destination of what comes in is translated."""
        return self.type != "snat"

    @property
    def outgoing(self) -> bool:
        """Whether the source of what leaves is translated."""
        return self.type != "dnat"


TABLE = input_table("nat", Nat, names=port_image)
