"""The names of a switch: records of the sets that are attached to it, as rows for agents."""

from collections.abc import Iterator
from typing import Annotated, NamedTuple

from incremental import Read
from southbound.rows import DnsName
from translator.derivations.result import Flows
from translator.features.dns.stages import LsInDnsLookup
from translator.inputs import Column, input_table


def _or_empty(value: str | None) -> str:
    return value or ""


class DnsRecordSet(NamedTuple):
    id: str
    owned: bool
    domain: Annotated[str, Column("domain", _or_empty)]
    ttl: int


class DnsRecordSetSwitch(NamedTuple):
    record_set: Annotated[str, Column("dns_record_set_id")]
    switch: Annotated[str, Column("logical_switch_id")]


class DnsRecord(NamedTuple):
    id: str
    record_set: Annotated[str, Column("dns_record_set_id")]
    name: Annotated[str, Column("hostname")]
    addresses: Annotated[tuple[str, ...], Column("addresses", tuple)]
    pointer: Annotated[str, Column("pointer", _or_empty)]


TABLES = (
    input_table("dns_record_set", DnsRecordSet),
    input_table(
        "dns_record_set_switch",
        DnsRecordSetSwitch,
        key=("dns_record_set_id", "logical_switch_id"),
    ),
    input_table("dns_record", DnsRecord),
)

Placement = tuple[str, str]
"""A switch, and a record that is known there, or a record set for its domain."""


def switches_of_record_set(
    _key: tuple[str, str], row: DnsRecordSetSwitch
) -> Iterator[tuple[str, str]]:
    """Record set -> switches on which it is known."""
    yield row.record_set, row.switch


def record_sets_of_switch(
    _key: tuple[str, str], row: DnsRecordSetSwitch
) -> Iterator[tuple[str, str]]:
    """Switch -> record sets that are known on it."""
    yield row.switch, row.record_set


def record_placements(read: Read, record: str) -> tuple[Placement, ...]:
    """Where a record is known."""
    row = read(DnsRecord, record)
    if row is None:
        return ()
    return tuple(
        (switch, record) for switch in read.members(switches_of_record_set, row.record_set)
    )


def domain_placements(read: Read, record_set: str) -> tuple[Placement, ...]:
    """Where a record set speaks for a domain."""
    row = read(DnsRecordSet, record_set)
    if row is None or not row.domain:
        return ()
    return tuple(
        (switch, record_set) for switch in read.members(switches_of_record_set, record_set)
    )


def dns_placements(_key: str, placements: tuple[Placement, ...]) -> Iterator[Placement]:
    """Switch -> records and domains that are known on it."""
    yield from placements


def dns_name(read: Read, placement: Placement) -> DnsName | None:
    """A name on a switch."""
    switch, key = placement
    record = read(DnsRecord, key)
    record_set = read(DnsRecordSet, key if record is None else record.record_set)
    if record_set is None:
        return None
    if record is None:
        return DnsName(key, switch, record_set.domain, record_set.ttl, owned=True, covers=True)
    return DnsName(
        id=key,
        datapath=switch,
        name=record.name,
        ttl=record_set.ttl,
        addresses=record.addresses,
        pointer=record.pointer,
        owned=record_set.owned,
    )


def dns_flows(read: Read, switch: str) -> Flows | None:
    """The flows of a switch that has record sets.

    >>> from incremental import RecordedFacts
    >>> dns_flows(RecordedFacts({}), "s")
    """
    if not read.members(record_sets_of_switch, switch):
        return None
    flows = (LsInDnsLookup.query4(), LsInDnsLookup.query6())
    return Flows(switch, "logical_switch", switch, flows)
