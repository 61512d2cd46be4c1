"""Text to tokens: the lexical syntax that matches and actions share.

Comments are ``// to the end of the line`` and ``/* within a line */``. Constants
are lexed with their mask, so that ``10.0.0.0/8`` is one token. Bits outside the mask don't
matter, as in OVN: ``10.0.0.1/8`` is the same.
"""

import ipaddress
import json
import re
from dataclasses import dataclass
from enum import StrEnum

from logical_flow.constants import Form, Integer, SetReference, String
from logical_flow.errors import LogicalFlowSyntaxError, LogicalFlowTypeError, VariableError
from logical_flow.holes import HOLE_PATTERN, VARIABLE_PATTERN, Hole, HoleType


class TokenKind(StrEnum):
    """What a token is; the value is how messages speak of it."""

    END = "end of input"
    NAME = "name"
    STRING = "string"
    INTEGER = "integer"
    SET = "set"
    HOLE = "hole"
    PUNCTUATION = "punctuation"


@dataclass(frozen=True, slots=True)
class Token:
    """`text` is the source text; `value` is what it stands for, where it stands for something."""

    kind: TokenKind
    text: str
    position: int
    value: Integer | String | SetReference | Hole | None = None


_SKIP = re.compile(r"(?:\s+|//[^\n]*|/\*[^\n]*?\*/)+")
_NAME = re.compile(r"[A-Za-z_.][A-Za-z0-9_.]*")
_ID = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
SET_PATTERN = re.compile(
    rf"([$@])((?:[A-Za-z0-9][A-Za-z0-9_.:-]*/)?(?:{_ID}(?:_ip[46])?|[A-Za-z_.][A-Za-z0-9_.-]*))"
)
"""Sigil, then a name or an id; before it, the project and a slash where it is another's."""
STRING_PATTERN = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_PUNCTUATION = re.compile(r"<->|--|&&|\|\||\.\.|[=!<>]=|[()\[\]{}=!<>,;]")
_CONSTANT_END = r"(?![0-9A-Za-z_:])"
_ETHERNET = re.compile(r"[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}" + _CONSTANT_END)
_IPV6 = re.compile(
    r"(?=[0-9a-fA-F]*:[0-9a-fA-F]*:)[0-9a-fA-F:]+(?:\.\d+){0,3}" + _CONSTANT_END, re.ASCII
)
_IPV4 = re.compile(r"\d+(?:\.\d+){3}" + _CONSTANT_END, re.ASCII)
_HEXADECIMAL = re.compile(r"0[xX][0-9a-fA-F]+" + _CONSTANT_END)
_DECIMAL = re.compile(r"\d+" + _CONSTANT_END, re.ASCII)
_ADDRESS_WIDTHS = {Form.IPV4: 32, Form.IPV6: 128}
_MAX_WIDTH = 128


class Lexer:
    """Tokens of `source`, one at a time, with the next one always in sight."""

    def __init__(self, source: str, *, with_holes: bool = False) -> None:
        self.source = source
        self._with_holes = with_holes
        self._offset = 0
        self._end_of_last = 0
        self.token = self._lex()

    def advance(self) -> Token:
        """Consume the token in sight and return it."""
        token = self.token
        self._end_of_last = token.position + len(token.text)
        self.token = self._lex()
        return token

    def accept(self, text: str) -> bool:
        """Consume the token in sight if it is the punctuation or name `text`."""
        if self.sees(text):
            self.advance()
            return True
        return False

    def sees(self, text: str) -> bool:
        token = self.token
        return token.text == text and token.kind in (TokenKind.PUNCTUATION, TokenKind.NAME)

    def expect(self, text: str) -> Token:
        if not self.sees(text):
            raise self.unexpected(f"expecting `{text}'")
        return self.advance()

    def expect_end(self) -> None:
        if self.token.kind is not TokenKind.END:
            raise self.unexpected("expecting end of input")

    def unexpected(self, expectation: str) -> LogicalFlowSyntaxError:
        """A syntax error at the token in sight."""
        token = self.token
        where = "end of input" if token.kind is TokenKind.END else f"`{token.text}'"
        message = f"Syntax error at {where} {expectation}."
        return LogicalFlowSyntaxError(message, self.source, token.position, len(token.text))

    def wrong(self, message: str, start: Token) -> LogicalFlowTypeError:
        """A type error that blames everything from `start` to the last consumed token."""
        end = max(self._end_of_last, start.position + len(start.text))
        return LogicalFlowTypeError(message, self.source, start.position, end - start.position)

    def unfit(self, message: str, position: int, length: int) -> LogicalFlowTypeError:
        return LogicalFlowTypeError(message, self.source, position, length)

    def malformed(self, message: str, position: int, length: int = 1) -> LogicalFlowSyntaxError:
        return LogicalFlowSyntaxError(message, self.source, position, length)

    def _lex(self) -> Token:
        skipped = _SKIP.match(self.source, self._offset)
        start = self._offset = skipped.end() if skipped else self._offset
        if start == len(self.source):
            return Token(TokenKind.END, "", start)
        if self.source.startswith("/*", start):
            raise self.malformed("`/*' without matching `*/' on the same line.", start, 2)
        return (
            self._lex_hole(start)
            or self._lex_constant(start)
            or self._lex_set(start)
            or self._lex_string(start)
            or self._lex_plain(start)
        )

    def _lex_hole(self, start: int) -> Token | None:
        found = HOLE_PATTERN.match(self.source, start)
        if found is None:
            return None
        if not self._with_holes:
            raise self.malformed("Holes may be used in templates only.", start, found.end() - start)
        hole = Hole(found["name"], HoleType(found["type"]))
        return self._token(TokenKind.HOLE, start, found.end(), hole)

    def _lex_constant(self, start: int) -> Token | None:
        value = self._lex_number(start)
        if value is None:
            if self.source[start] in "0123456789":
                end = _word_end(self.source, start)
                raise self.malformed(
                    f"`{self.source[start:end]}' is not a valid constant.", start, end - start
                )
            return None
        number, form, end = value
        if not self.source.startswith("/", end) or self.source.startswith(("//", "/*"), end):
            return self._token(TokenKind.INTEGER, start, end, Integer(number, None, form))
        mask, end = self._lex_mask(end + 1, form)
        return self._token(TokenKind.INTEGER, start, end, Integer(number & mask, mask, form))

    def _lex_number(self, start: int) -> tuple[int, Form, int] | None:
        """The integer that starts there, its form, and where it ends."""
        source = self.source
        if found := _ETHERNET.match(source, start):
            return int(found[0].replace(":", ""), 16), Form.ETHERNET, found.end()
        if found := _IPV6.match(source, start):
            return self._address(ipaddress.IPv6Address, found, "IPv6"), Form.IPV6, found.end()
        if found := _IPV4.match(source, start):
            return self._address(ipaddress.IPv4Address, found, "IPv4"), Form.IPV4, found.end()
        if found := _HEXADECIMAL.match(source, start):
            number, form = int(found[0], 16), Form.HEXADECIMAL
        elif found := _DECIMAL.match(source, start):
            if len(found[0]) > 1 and found[0].startswith("0"):
                raise self.malformed(
                    "Decimal constants must not have leading zeros.", start, len(found[0])
                )
            # 39 digits hold every 128-bit number; more are too many without looking.
            number = int(found[0]) if len(found[0]) <= 39 else 1 << _MAX_WIDTH
            form = Form.DECIMAL
        else:
            return None
        if number.bit_length() > _MAX_WIDTH:
            raise self.malformed(
                f"Constants may be at most {_MAX_WIDTH} bits wide.", start, len(found[0])
            )
        return number, form, found.end()

    def _address(
        self,
        kind: type[ipaddress.IPv4Address] | type[ipaddress.IPv6Address],
        found: re.Match[str],
        name: str,
    ) -> int:
        try:
            return int(kind(found[0]))
        except ValueError:
            message = f"`{found[0]}' is not a valid {name} address."
            raise self.malformed(message, found.start(), len(found[0])) from None

    def _lex_mask(self, start: int, form: Form) -> tuple[int, int]:
        """The mask that starts there, as an integer, and where it ends."""
        lexed = self._lex_number(start)
        if lexed is None:
            raise self.malformed("`/' must be followed by a mask.", start - 1)
        mask, mask_form, end = lexed
        width = _ADDRESS_WIDTHS.get(form)
        if width is not None and mask_form is Form.DECIMAL:
            if mask > width:
                raise self.malformed(f"Prefix length must be at most {width}.", start, end - start)
            return ((1 << mask) - 1) << (width - mask), end
        plain = (Form.DECIMAL, Form.HEXADECIMAL)
        if mask_form is not form and not (form in plain and mask_form in plain):
            raise self.malformed("Value and mask have incompatible forms.", start, end - start)
        return mask, end

    def _lex_set(self, start: int) -> Token | None:
        sigil = self.source[start]
        if sigil not in ("$", "@"):
            return None
        found = SET_PATTERN.match(self.source, start)
        if found is None:
            what = "an address set" if sigil == "$" else "a port group"
            raise self.malformed(f"`{sigil}' must be followed by the name of {what}.", start)
        reference = SetReference("$" if sigil == "$" else "@", found[2])
        return self._token(TokenKind.SET, start, found.end(), reference)

    def _lex_string(self, start: int) -> Token | None:
        if self.source[start] != '"':
            return None
        found = STRING_PATTERN.match(self.source, start)
        if found is None:
            raise self.malformed("Input ends inside quoted string.", start)
        try:
            text = json.loads(found[0])
        except ValueError:
            message = "Invalid escape or control character in quoted string."
            raise self.malformed(message, start, len(found[0])) from None
        return self._token(TokenKind.STRING, start, found.end(), String(text))

    def _lex_plain(self, start: int) -> Token:
        # ".." would also be a name.
        if found := _PUNCTUATION.match(self.source, start):
            return self._token(TokenKind.PUNCTUATION, start, found.end())
        if found := _NAME.match(self.source, start):
            return self._token(TokenKind.NAME, start, found.end())
        if found := VARIABLE_PATTERN.match(self.source, start):
            message = f"`{found[0]}' is a variable of chassis, and matches can't have any."
            raise VariableError(message, self.source, start, found.end() - start)
        raise self.malformed(f"Invalid character `{self.source[start]}' in input.", start)

    def _token(
        self,
        kind: TokenKind,
        start: int,
        end: int,
        value: Integer | String | SetReference | Hole | None = None,
    ) -> Token:
        self._offset = end
        return Token(kind, self.source[start:end], start, value)


def _word_end(source: str, start: int) -> int:
    found = re.compile(r"[0-9A-Za-z_:.]*").match(source, start)
    return max(found.end() if found else start, start + 1)
