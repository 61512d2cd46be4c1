"""An agent's last known rows on its disk, for a start without the server."""

import os
import threading
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import get_type_hints

import msgspec
import structlog

from southbound.rows import ROW_TYPES, AnyRow, Row

log = structlog.get_logger(__name__)

_VERSION = 1


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


class RowCache:
    """A file of rows by scope, replaced as a whole, never written in place.

    May be saved from several threads: one after the other.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._saving = threading.Lock()

    def load(self) -> CachedRows | None:
        """What was saved last; None if there is nothing, or nothing of use."""
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return None
        try:
            rows = msgspec.msgpack.decode(data, type=CachedRows)
        except msgspec.DecodeError as error:
            log.warning("row cache is damaged, not used", path=str(self._path), reason=str(error))
            return None
        if rows.version != _VERSION:
            log.warning("row cache is of another version, not used", path=str(self._path))
            return None
        return rows

    def save(self, rows: CachedRows) -> None:
        """Replace the file; a crash at any time leaves the old or the new one."""
        temporary = self._path.with_name(f"{self._path.name}.new")
        with self._saving:
            with temporary.open("wb") as file:
                file.write(msgspec.msgpack.encode(rows))
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self._path)
