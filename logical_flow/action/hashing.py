"""The fields that a choice among several follows from, where a text or an argument names them.

``hash_fields="ip_src,tp_dst"`` stands in the parentheses of actions that choose. As a hole it is
UTF-8 in ``bytes``. Without any the choice follows from a hash of addresses, protocol and ports.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from logical_flow.binding import Arguments
from logical_flow.constants import String, quote
from logical_flow.errors import TemplateError
from logical_flow.holes import Hole, HoleType

if TYPE_CHECKING:
    from logical_flow.action_parser import ActionParser

HASH_FIELDS: Final = ("eth_dst", "eth_src", "ip_dst", "ip_proto", "ip_src", "tp_dst", "tp_src")
"""What a choice may depend on, as OVN calls it; of either family, and of any protocol."""

KEYWORD: Final = "hash_fields"


def hash_fields_in(text: str) -> tuple[str, ...]:
    """Return the names in a list of fields; raises TemplateError for one that isn't known.

    >>> hash_fields_in("ip_src,tp_dst")
    ('ip_src', 'tp_dst')
    """
    names = tuple(text.split(","))
    for name in names:
        if name not in HASH_FIELDS:
            raise TemplateError(f"{name!r} is none of {', '.join(HASH_FIELDS)}")
    return names


def hash_fields_argument(names: Iterable[str]) -> bytes:
    """Return what fills a hole; equal sets of fields are equal bytes."""
    return ",".join(sorted(names)).encode()


def hash_fields_of_argument(argument: object) -> tuple[str, ...]:
    """Return the names that fill a hole; raises TemplateError for anything else."""
    if not isinstance(argument, bytes):
        raise TemplateError(f"{argument!r} does not name fields")
    return hash_fields_in(argument.decode(errors="replace"))


def parse_hash_fields(parser: ActionParser) -> str | Hole:
    """Read ``hash_fields=…`` as it stands after a comma."""
    lexer = parser.lexer
    lexer.expect(KEYWORD)
    lexer.expect("=")
    token = lexer.token
    match token.value:
        case Hole() if token.value.type is HoleType.BYTES:
            lexer.advance()
            return token.value
        case String(text):
            try:
                hash_fields_in(text)
            except TemplateError as error:
                raise lexer.unexpected(str(error)) from None
            lexer.advance()
            return text
    raise lexer.unexpected("expecting names of fields, or a hole of type bytes")


def hash_fields_text(fields: str | Hole) -> str:
    """Return what `parse_hash_fields` reads with the comma before it, or nothing for no fields."""
    if isinstance(fields, Hole):
        return f", {KEYWORD}={fields}"
    return f", {KEYWORD}={quote(fields)}" if fields else ""


def bind_hash_fields(fields: str | Hole, arguments: Arguments) -> str:
    """Return the fields with the hole filled; raises TemplateError for a misfit."""
    if isinstance(fields, Hole):
        return ",".join(hash_fields_of_argument(arguments[fields.name]))
    return fields
