"""Makes an agent that starts with this directory on its path one of release 0.1.0.

It says nothing of what it understands, and gives up at a row, a message or a word that its
record hasn't.
"""

import json
from functools import reduce
from operator import or_
from pathlib import Path

import msgspec

from chassis_agent.compile import read_template
from chassis_agent.derivations import templates
from logical_flow.words import words_of
from southbound import rows, tolerant, wire
from southbound.watch import cache, client

RECORDS = Path(__file__).parents[3] / "unit" / "southbound" / "records"
RECORD = json.loads((RECORDS / "release-0.1.0.json").read_text())
Known = reduce(or_, (rows.ROW_TYPES[name] for name in RECORD["tables"]))


class Part(msgspec.Struct, array_like=True):
    scope: str
    full: bool
    puts: tuple[Known, ...] = ()  # type: ignore[valid-type]
    deletes: tuple[rows.RowId, ...] = ()


class Update(msgspec.Struct, array_like=True, tag="update"):
    serial: int
    heard: int
    position: int
    revision: int
    parts: tuple[Part, ...]


def decode_strictly(data: bytes, _skipped: tolerant.Skipped) -> wire.FromServer:
    """Raises as an agent of that release did."""
    message = wire.decode_from_server(data)
    if isinstance(message, wire.Update):
        msgspec.msgpack.decode(data, type=Update)
    return message


def read_strictly(row: rows.Template, *more: rows.Stage | None) -> object:
    """Every template is understood, or that release lost more than its flows."""
    unknown = {*words_of(row.match), *words_of(row.actions)} - set(RECORD["words"])
    if unknown:
        raise AssertionError(f"an agent of 0.1.0 was sent {sorted(unknown)}")
    return read_template(row, *more)


_init = client.WatchClient.__init__


def init(self: client.WatchClient, *arguments: object, **named: object) -> None:
    _init(self, *arguments, **{**named, "vocabulary": None})  # type: ignore[arg-type]


client.WatchClient.__init__ = init  # type: ignore[method-assign]
client.read_from_server = decode_strictly  # type: ignore[attr-defined]
templates.read_template = read_strictly  # type: ignore[assignment]
cache._TABLES = ""
