"""Reading what an end of another release sends: as much of it as this one understands.

What is well understood is decoded at once. Only where that fails it is looked at piece by
piece: rows of unknown tables are left out of their update, messages of unknown kinds are
left out altogether, and a question of an unknown kind gets an answer that says so.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, TypeAlias, get_args

import msgspec

from southbound import wire
from southbound.errors import ProtocolError
from southbound.rows import ROW_TYPES, AnyRow, RowId

MAX_KINDS: Final = 64
"""How many kinds of unknown things are told apart."""

_LONGEST_NAME: Final = 64
_DECODING_ERRORS: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

TO_SERVER: Final[frozenset[str]] = frozenset(
    kind.__struct_config__.tag for kind in get_args(wire.FromAgent)
)
TO_AGENT: Final[frozenset[str]] = frozenset(
    kind.__struct_config__.tag for kind in get_args(wire.FromServer)
)
"""The kinds of messages that each end takes."""


class Skipped:
    """What was met and not understood, and how often. Bounded, whatever is sent."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    @property
    def counts(self) -> Mapping[str, int]:
        """How often, by what it is: `rows of table x`, `messages x`, …"""
        return MappingProxyType(self._counts)

    def note(self, what: str) -> None:
        """Count one more of `what`."""
        if what not in self._counts and len(self._counts) >= MAX_KINDS:
            what = "other things"
        self._counts[what] = self._counts.get(what, 0) + 1

    def clear(self) -> None:
        """Begin anew: what was skipped will be sent again."""
        self._counts.clear()

    def __str__(self) -> str:
        return ", ".join(f"{count} {what}" for what, count in sorted(self._counts.items()))


class UnknownQuestion(msgspec.Struct, frozen=True):
    """An :class:`~southbound.wire.Ask` whose question is of a kind that isn't known here."""

    number: int
    kind: str


ForAgent: TypeAlias = wire.FromServer | UnknownQuestion


class _Kind(msgspec.Struct, frozen=True, array_like=True):
    """The beginning of any message, row or question; what follows is not looked at."""

    kind: str


class _RawPart(msgspec.Struct, frozen=True, array_like=True):
    scope: str
    full: bool
    puts: tuple[msgspec.Raw, ...] = ()
    deletes: tuple[RowId, ...] = ()


class _RawUpdate(msgspec.Struct, frozen=True, array_like=True, tag="update"):
    serial: int
    heard: int
    position: int
    revision: int
    parts: tuple[_RawPart, ...]


class _RawAsk(msgspec.Struct, frozen=True, array_like=True, tag="ask"):
    number: int
    question: msgspec.Raw


class _RawAnswer(msgspec.Struct, frozen=True, array_like=True, tag="answer"):
    number: int
    result: msgspec.Raw


_kind = msgspec.msgpack.Decoder(_Kind)
_row: msgspec.msgpack.Decoder[AnyRow] = msgspec.msgpack.Decoder(AnyRow)
_raw_update = msgspec.msgpack.Decoder(_RawUpdate)
_raw_ask = msgspec.msgpack.Decoder(_RawAsk)
_raw_answer = msgspec.msgpack.Decoder(_RawAnswer)


def read_from_server(data: bytes, skipped: Skipped) -> ForAgent | None:
    """Return a message as far as it is understood, None if it isn't at all.

    Raises ProtocolError for what is no message of any release.
    """
    try:
        return wire.decode_from_server(data)
    except ProtocolError as error:
        kind = _kind_of(data, error)
        if kind not in TO_AGENT:
            skipped.note(f"messages {_shown(kind)}")
            return None
        try:
            if kind == "update":
                return _readable_update(data, skipped)
            if kind == "ask":
                return _unknown_question(data, error)
        except _DECODING_ERRORS:
            raise error from None
        raise


def read_from_agent(data: bytes, skipped: Skipped) -> wire.FromAgent | None:
    """Return a message as far as it is understood, None if it isn't at all.

    Raises ProtocolError for what is no message of any release.
    """
    try:
        return wire.decode_from_agent(data)
    except ProtocolError as error:
        kind = _kind_of(data, error)
        if kind not in TO_SERVER:
            skipped.note(f"messages {_shown(kind)}")
            return None
        if kind == "answer":
            return _answer_without_result(data, error)
        raise


def _kind_of(data: bytes | msgspec.Raw, error: ProtocolError) -> str:
    try:
        return _kind.decode(data).kind
    except _DECODING_ERRORS:
        raise error from None


def _readable_update(data: bytes, skipped: Skipped) -> wire.Update:
    raw = _raw_update.decode(data)
    parts = []
    for part in raw.parts:
        puts = [row for encoded in part.puts if (row := _readable_row(encoded, skipped))]
        parts.append(wire.Part(part.scope, part.full, tuple(puts), part.deletes))
    return wire.Update(raw.serial, raw.heard, raw.position, raw.revision, tuple(parts))


def _readable_row(encoded: msgspec.Raw, skipped: Skipped) -> AnyRow | None:
    try:
        return _row.decode(encoded)
    except _DECODING_ERRORS as error:
        table = _kind_of(encoded, ProtocolError(f"not a row: {error}"))
        if table in ROW_TYPES:
            skipped.note(f"unreadable rows of table {table}")
        else:
            skipped.note(f"rows of table {_shown(table)}")
        return None


def _unknown_question(data: bytes, error: ProtocolError) -> UnknownQuestion:
    raw = _raw_ask.decode(data)
    return UnknownQuestion(raw.number, _shown(_kind_of(raw.question, error)))


def _answer_without_result(data: bytes, error: ProtocolError) -> wire.Answer:
    try:
        raw = _raw_answer.decode(data)
    except _DECODING_ERRORS:
        raise error from None
    kind = _shown(_kind_of(raw.result, error))
    return wire.Answer(raw.number, None, f"this server doesn't know answers of the kind {kind!r}")


def _shown(name: str) -> str:
    text = "".join(letter if letter.isprintable() else "?" for letter in name[:_LONGEST_NAME])
    return text or "without a name"
