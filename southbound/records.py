"""Rows as records of their SQL tables, and back."""

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any, get_origin, get_type_hints

import msgspec
from sqlalchemy import Row as Record
from sqlalchemy import RowMapping, Table

from southbound import models
from southbound.rows import (
    ROW_TYPES,
    Announcement,
    BackendCheck,
    BackendStatus,
    BfdSession,
    BfdStatus,
    Chassis,
    ChassisVariable,
    Datapath,
    DnsName,
    FdbEntry,
    FlowGroup,
    MacBinding,
    PortBinding,
    RouterAdvertisement,
    Row,
    SetMember,
    Stage,
    Template,
    Translation,
    VirtualAddress,
)

_TABLES: dict[type[Row], Table] = {
    Stage: models.stage,
    Template: models.template,
    Chassis: models.chassis,
    Datapath: models.datapath,
    PortBinding: models.port_binding,
    FlowGroup: models.flow_group,
    SetMember: models.set_member,
    MacBinding: models.mac_binding,
    FdbEntry: models.fdb,
    RouterAdvertisement: models.router_advertisement,
    DnsName: models.dns_name,
    Announcement: models.announcement,
    BfdSession: models.bfd_session,
    BfdStatus: models.bfd_status,
    VirtualAddress: models.virtual_address,
    BackendCheck: models.backend_check,
    BackendStatus: models.backend_status,
    Translation: models.translation,
    ChassisVariable: models.chassis_variable,
}


class RecordCodec:
    """Turns rows of one type into records of their table and records into rows.

    Fields that the table lacks (the facts of a port binding) are left out, and have
    their defaults in what is read. Lists and maps are JSON.
    """

    def __init__(self, row_type: type[Row], table: Table) -> None:
        self.row_type = row_type
        self.table = table
        columns = set(table.columns.keys())
        types = {
            name: hint
            for name, hint in get_type_hints(row_type).items()
            if name in row_type.__struct_fields__ and name in columns
        }
        self.fields = tuple(types)
        self.key_fields = tuple(c.name for c in table.primary_key)
        self._values: Callable[[Row], tuple[Any, ...]] = attrgetter(*self.fields)
        self._json: dict[str, Callable[[str], Any]] = {
            name: msgspec.json.Decoder(hint).decode
            for name, hint in types.items()
            if get_origin(hint) in (tuple, dict)
        }

        self._empty = {
            name: "{}" if get_origin(types[name]) is dict else "[]" for name in self._json
        }

    def record(self, row: Row) -> dict[str, Any]:
        record = dict(zip(self.fields, self._values(row), strict=True))
        for name, empty in self._empty.items():
            value = record[name]
            record[name] = msgspec.json.encode(value).decode() if value else empty
        return record

    def key_record(self, row: Row) -> dict[str, Any]:
        """The primary key alone."""
        return {name: getattr(row, name) for name in self.key_fields}

    def rows(self, records: Iterable[Record[Any]]) -> Iterable[Row]:
        """`records` have the columns `fields`, in that order."""
        if not self._json:
            return (self.row_type(*record) for record in records)
        return (self._row(record._mapping) for record in records)

    def _row(self, record: RowMapping) -> Row:
        decoders = self._json
        values = {
            name: decoders[name](record[name]) if name in decoders else record[name]
            for name in self.fields
        }
        return self.row_type(**values)


CODECS: dict[type[Row], RecordCodec] = {
    row_type: RecordCodec(row_type, _TABLES[row_type]) for row_type in ROW_TYPES.values()
}
