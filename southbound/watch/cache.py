"""An agent's last known rows on its disk, for a start without the server.

The file begins with all rows, and goes on with the changes that have come since, so that a change
costs what it is, and not what all rows are. Once the changes are as many bytes as the rows were,
the file is written anew. Each record has its length and a checksum in front: what a crash has cut
off at the end is left out.
"""

import os
import struct
import threading
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Final, get_type_hints

import msgspec
import structlog

from southbound.rows import ROW_TYPES, AnyRow, Row, RowId
from southbound.wire import Part

log = structlog.get_logger(__name__)

_VERSION = 2
_HEAD: Final = struct.Struct(">I8s")
_LEAST: Final = 1 << 16
"""Bytes of changes for which alone no file is written anew."""


def tables_understood(row_types: Mapping[str, type[Row]]) -> str:
    """Return what stands for the rows that can be read: their tables, fields and values."""
    hints = [(table, get_type_hints(row)) for table, row in row_types.items()]
    return blake2b(repr(hints).encode(), digest_size=8).hexdigest()


_TABLES = tables_understood(ROW_TYPES)


class CachedRows(msgspec.Struct, frozen=True, array_like=True):
    """Rows by scope, as of a position in a server's epoch.

    `tables` stands for the tables, fields and values that were understood when they came. A newer
    agent may understand more, which it was sent then and skipped: see :meth:`is_complete`.
    """

    version: int
    epoch: str
    position: int
    revision: int
    scopes: dict[str, tuple[AnyRow, ...]]
    tables: str = ""

    def is_complete(self) -> bool:
        """Whether the rows are all that this agent would have kept of what it was sent."""
        return self.tables == _TABLES


def cached_rows(
    epoch: str, position: int, revision: int, scopes: dict[str, tuple[AnyRow, ...]]
) -> CachedRows:
    return CachedRows(_VERSION, epoch, position, revision, scopes, _TABLES)


class CachedChange(msgspec.Struct, frozen=True, array_like=True):
    """What became of the rows in one update; the scopes in `left` were left before it."""

    epoch: str
    position: int
    revision: int
    left: tuple[str, ...]
    parts: tuple[Part, ...]


class RowCache:
    """A file of rows by scope, and of changes behind them.

    May be written from several threads: one after the other.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._saving = threading.Lock()
        self._whole = 0
        self._changes = 0

    @property
    def is_long(self) -> bool:
        """Whether the changes have become so many that all rows should be saved instead."""
        return self._changes > max(self._whole, _LEAST)

    def load(self) -> CachedRows | None:
        """What was saved last; None if there is nothing, or nothing of use."""
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return None
        records = _records(data)
        try:
            whole = next(records, None)
            if whole is None:
                log.warning("row cache is damaged, not used", path=str(self._path))
                return None
            rows = msgspec.msgpack.decode(whole, type=CachedRows)
            if rows.version != _VERSION:
                log.warning("row cache is of another version, not used", path=str(self._path))
                return None
            return _changed(
                rows, (msgspec.msgpack.decode(each, type=CachedChange) for each in records)
            )
        except msgspec.DecodeError as error:
            log.warning("row cache is damaged, not used", path=str(self._path), reason=str(error))
            return None

    def save(self, rows: CachedRows) -> None:
        """Replace the file; a crash at any time leaves the old or the new one."""
        temporary = self._path.with_name(f"{self._path.name}.new")
        with self._saving:
            self._whole = _write(temporary, "wb", _record(rows))
            self._changes = 0
            temporary.replace(self._path)

    def add(self, changes: Sequence[CachedChange]) -> None:
        """Write changes behind what this object has saved before."""
        with self._saving:
            self._changes += _write(self._path, "ab", b"".join(map(_record, changes)))


def _write(path: Path, mode: str, data: bytes) -> int:
    with path.open(mode) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return len(data)


def _record(content: CachedRows | CachedChange) -> bytes:
    data = msgspec.msgpack.encode(content)
    return _HEAD.pack(len(data), _checksum(data)) + data


def _records(data: bytes) -> Iterator[bytes]:
    """Yield the records of a file, up to the first that isn't whole."""
    place = 0
    while place + _HEAD.size <= len(data):
        length, checksum = _HEAD.unpack_from(data, place)
        place += _HEAD.size
        record = data[place : place + length]
        if len(record) != length or _checksum(record) != checksum:
            return
        yield record
        place += length


def _checksum(data: bytes) -> bytes:
    return blake2b(data, digest_size=8).digest()


def _changed(rows: CachedRows, changes: Iterator[CachedChange]) -> CachedRows:
    """Return rows as changes have left them."""
    scopes: dict[str, dict[RowId, AnyRow]] = {
        scope: {row.row_id: row for row in held} for scope, held in rows.scopes.items()
    }
    last: CachedRows | CachedChange = rows
    for last in changes:
        for scope in last.left:
            scopes.pop(scope, None)
        for part in last.parts:
            held = {} if part.full else scopes.get(part.scope, {})
            for key in part.deletes:
                held.pop(key, None)
            held |= {row.row_id: row for row in part.puts}
            scopes[part.scope] = held
    return msgspec.structs.replace(
        rows,
        epoch=last.epoch,
        position=last.position,
        revision=last.revision,
        scopes={scope: tuple(held.values()) for scope, held in scopes.items()},
    )
