"""The rows of BFD sessions that translation reads, and the sessions of a router port."""

from collections.abc import Iterator
from typing import Annotated, NamedTuple

from translator.addresses import ip_bytes
from translator.inputs import Column, input_table


class BfdSession(NamedTuple):
    """Intervals are milliseconds."""

    id: str
    port: Annotated[str, Column("logical_router_port_id")]
    neighbour: Annotated[bytes, Column("dst_ip", ip_bytes)]
    min_tx: int
    min_rx: int
    detect_mult: int
    enabled: bool


TABLE = input_table("bfd_session", BfdSession)


def sessions_with(session: str, row: BfdSession) -> Iterator[tuple[tuple[str, bytes], str]]:
    """(Router port, neighbour) -> the session between them."""
    yield (row.port, row.neighbour), session
