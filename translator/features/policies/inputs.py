"""The rows of routing policies that translation reads."""

from typing import Annotated, NamedTuple

from northbound.names import DEFAULT_PROJECT, policy_chain_number
from translator.addresses import ip_bytes
from translator.inputs import Column, input_table
from translator.names import port_image


def _nexthops(texts: list[str]) -> tuple[bytes, ...]:
    return tuple(map(ip_bytes, texts))


def _or_empty(value: str | None) -> str:
    return value or ""


def _jump(name: str | None) -> int:
    return 0 if name is None else policy_chain_number(name)


class RouterPolicy(NamedTuple):
    """`mark` is None without one; `chain` and `jump_chain` are numbers, 0 for the main chain."""

    id: str
    router: Annotated[str, Column("logical_router_id")]
    priority: int
    match: str
    action: str
    nexthops: Annotated[tuple[bytes, ...], Column("nexthops", _nexthops)]
    output_port: Annotated[str, Column("output_port", _or_empty)]
    mark: Annotated[int | None, Column("pkt_mark")]
    chain: Annotated[int, Column("chain", policy_chain_number)]
    jump_chain: Annotated[int, Column("jump_chain", _jump)]
    number: int
    project: str = DEFAULT_PROJECT
    bfd: bool = False
    selection_fields: Annotated[tuple[str, ...], Column("selection_fields", tuple)] = ()


TABLE = input_table("router_policy", RouterPolicy, names=port_image)
