"""An immutable picture of the switch's configuration, kept current row by row.

:class:`ViewBuilder` converts a database row only when it changed: reading a row
of python-ovs costs far more than everything that the agent computes from it.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias
from uuid import UUID

from chassis_agent.ovsdb.bfd import BfdStatus, read_bfd_status


class Interface(NamedTuple):
    """A network interface. `ofport` is None or -1 while the switch has no device for it.

    `bfd` is None where no BFD runs on it. `port` is the port that it is an interface of, and
    `queues` are the numbers of that port's queues. `mtu` is None where its device has none.
    """

    name: str
    type: str = ""
    ofport: int | None = None
    error: str = ""
    external_ids: Mapping[str, str] = {}
    options: Mapping[str, str] = {}
    bfd: BfdStatus | None = None
    port: str = ""
    queues: frozenset[int] = frozenset()
    mtu: int | None = None

    @property
    def is_plugged(self) -> bool:
        return self.ofport is not None and self.ofport > 0 and not self.error


class Bridge(NamedTuple):
    """A bridge with its interfaces by name."""

    name: str
    datapath_type: str = ""
    fail_mode: str = ""
    external_ids: Mapping[str, str] = {}
    other_config: Mapping[str, str] = {}
    interfaces: Mapping[str, Interface] = {}


RowKey: TypeAlias = tuple[str, str]
"""Table and name of a row."""

IDENTITY: Final = "treadle-id"
"""The key of ``external_ids`` that names rows of tables without a column `name`."""


class InstalledRow(NamedTuple):
    """A row as the database has it: columns as sets of values, rows by UUID; maps apart."""

    uuid: UUID
    columns: Mapping[str, tuple[object, ...]]
    maps: Mapping[str, Mapping[Any, object]]


class SwitchView(NamedTuple):
    """What the agent knows of the switch's configuration at one moment.

    `rows` has every row that has a name; the other fields are the same by what they mean.
    """

    external_ids: Mapping[str, str] = {}
    bridges: Mapping[str, Bridge] = {}
    rows: Mapping[RowKey, InstalledRow] = {}


class _BridgeRow(NamedTuple):
    bridge: Bridge
    ports: tuple[UUID, ...]


class _PortRow(NamedTuple):
    name: str
    interfaces: tuple[UUID, ...]
    qos: tuple[UUID, ...]


class ViewBuilder:
    """Follows the rows of an IDL, given as its mapping of table names to tables."""

    def __init__(self) -> None:
        self._rows: dict[RowKey, InstalledRow] = {}
        self._keys: dict[UUID, RowKey] = {}
        self._external_ids: dict[str, str] = {}
        self._bridges: dict[UUID, _BridgeRow] = {}
        self._ports: dict[UUID, _PortRow] = {}
        self._queues: dict[UUID, frozenset[int]] = {}
        self._interfaces: dict[UUID, Interface] = {}

    def uuid(self, key: RowKey) -> UUID | None:
        """The row of that table and name."""
        row = self._rows.get(key)
        return None if row is None else row.uuid

    def update(self, tables: Mapping[str, Any], dirty: Iterable[tuple[str, UUID]]) -> SwitchView:
        """Reads the `dirty` rows again and gives the picture of now."""
        for table, uuid in dirty:
            row = tables[table].rows.get(uuid)
            if row is not None:
                self._put(table, row)
        self._forget_missing(tables)
        return self._build()

    def _put(self, table: str, row: Any) -> None:
        installed = _installed(row)
        name = _name(row, installed)
        before = self._keys.pop(row.uuid, None)
        if before is not None and before != (table, name):
            self._rows.pop(before, None)
        if name:
            self._rows[table, name] = installed
            self._keys[row.uuid] = (table, name)
        if table == "Interface":
            self._interfaces[row.uuid] = Interface(
                name=row.name,
                type=row.type,
                ofport=row.ofport[0] if row.ofport else None,
                error=row.error[0] if row.error else "",
                external_ids=dict(row.external_ids),
                options=dict(row.options),
                bfd=read_bfd_status(row.bfd_status),
                mtu=row.mtu[0] if row.mtu else None,
            )
        elif table == "Port":
            self._ports[row.uuid] = _PortRow(
                row.name, _references(row, "interfaces"), _references(row, "qos")
            )
        elif table == "QoS":
            self._queues[row.uuid] = frozenset(map(int, installed.maps["queues"]))
        elif table == "Bridge":
            bridge = Bridge(
                name=row.name,
                datapath_type=row.datapath_type,
                fail_mode=row.fail_mode[0] if row.fail_mode else "",
                external_ids=dict(row.external_ids),
                other_config=dict(row.other_config),
            )
            self._bridges[row.uuid] = _BridgeRow(bridge, _references(row, "ports"))
        elif table == "Open_vSwitch":
            self._external_ids = dict(row.external_ids)

    def _forget_missing(self, tables: Mapping[str, Any]) -> None:
        """Drops what the database no longer has; also all of it after a reconnection."""
        known: tuple[tuple[str, dict[UUID, Any]], ...] = (
            ("Interface", self._interfaces),
            ("Port", self._ports),
            ("Bridge", self._bridges),
            ("QoS", self._queues),
        )
        for table, rows in known:
            present = tables[table].rows
            if len(present) == len(rows):
                continue
            for uuid in [uuid for uuid in rows if uuid not in present]:
                del rows[uuid]
        for (table, name), installed in list(self._rows.items()):
            if installed.uuid not in tables[table].rows:
                del self._rows[table, name]
        if len(self._keys) > len(self._rows):  # of one name there were several
            self._keys = {
                uuid: key for uuid, key in self._keys.items() if uuid in tables[key[0]].rows
            }
            for uuid, key in self._keys.items():
                if key not in self._rows:
                    self._rows[key] = _installed(tables[key[0]].rows[uuid])

    def _build(self) -> SwitchView:
        return SwitchView(
            external_ids=self._external_ids,
            bridges={
                bridge.name: bridge._replace(interfaces=self._interfaces_of(ports))
                for bridge, ports in self._bridges.values()
            },
            rows=dict(self._rows),
        )

    def _interfaces_of(self, ports: tuple[UUID, ...]) -> dict[str, Interface]:
        found = {}
        for port in ports:
            name, uuids, qos = self._ports.get(port, _PortRow("", (), ()))
            queues = frozenset(number for uuid in qos for number in self._queues.get(uuid, ()))
            for uuid in uuids:
                interface = self._interfaces.get(uuid)
                if interface is not None:
                    if name != interface.port or queues != interface.queues:
                        interface = interface._replace(port=name, queues=queues)
                        self._interfaces[uuid] = interface
                    found[interface.name] = interface
        return found


def _installed(row: Any) -> InstalledRow:
    columns: dict[str, tuple[object, ...]] = {}
    maps: dict[str, Mapping[Any, object]] = {}
    for name, column in row._table.columns.items():
        datum = row._data[name]  # the default where the database sent none
        if column.type.is_map():
            maps[name] = {key.value: value.value for key, value in datum.values.items()}
        else:
            columns[name] = tuple(atom.value for atom in datum.values)
    return InstalledRow(row.uuid, columns, maps)


def _name(row: Any, installed: InstalledRow) -> str:
    """The row's name, empty for one that has none."""
    if "name" in installed.columns:
        return str(row.name)
    return str(installed.maps.get("external_ids", {}).get(IDENTITY, ""))


def _references(row: Any, column: str) -> tuple[UUID, ...]:
    """The rows that a column refers to, also those that haven't arrived yet."""
    return tuple(atom.value for atom in row._data[column].values)
