"""Variables of chassis: what virtual addresses and backends stand for on each chassis.

``^NODE`` is an address, a port, or a list of backends that every chassis knows for itself. Text
with variables travels as it is, in arguments of flows and in members of sets; who packs or walks
the flows for a chassis puts the values in place.

======================  ==========================================================
text                    stands for
======================  ==========================================================
``^NODE``               an address; of a backend also several, each perhaps with a
                        port, with commas between them
``^NODE:80``            the address of the variable, with that port
``^NODE:^PORT``         the same, with the port of another variable
``10.0.0.5:^PORT``      an address with the port of a variable
======================  ==========================================================
"""

from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, NamedTuple, TypeAlias

from logical_flow.backends import MAX_BACKENDS, Backend, parse_backend, parse_port
from logical_flow.errors import UnresolvedError
from logical_flow.holes import (
    VARIABLE_HOLES,
    VARIABLE_SIGIL,
    Argument,
    Hole,
    HoleType,
    is_variable,
)

LONGEST_VALUE: Final = 25_000
"""Characters; as many backends as a virtual address may have fit."""

ValueOf: TypeAlias = Callable[[str], str | None]
"""Gives the value of a variable, whose name comes without its sigil; None where it has none."""


def has_variable(text: str) -> bool:
    """Tell whether a text may have variables; addresses, ports and backends have none."""
    return VARIABLE_SIGIL in text


class BackendText(NamedTuple):
    """A backend with variables: of its address, of its port, or of both.

    `port` is empty where none is said; the value of `address` may then be several backends.
    """

    address: str
    port: str = ""

    def __str__(self) -> str:
        if not self.port:
            return self.address
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{host}:{self.port}"

    @property
    def is_list(self) -> bool:
        """Whether a variable says all of it."""
        return not self.port and has_variable(self.address)

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of its variables, without their sigil."""
        parts = (self.address, self.port)
        return tuple(part[1:] for part in parts if part.startswith(VARIABLE_SIGIL))


def parse_backend_text(text: str) -> BackendText:
    """Return a backend in its canonical form, with variables; raise ValueError if it is none.

    >>> str(parse_backend_text("^NODE:80")), parse_backend_text("[FD00:0::5]:^PORT").port
    ('^NODE:80', '^PORT')
    >>> parse_backend_text("^NODES").is_list
    True
    """
    if not has_variable(text):
        backend = parse_backend(text)
        return BackendText(str(backend.address), str(backend.port or ""))
    host, colon, port = text.rpartition(":")
    if not colon:
        host, port = text, ""
    elif port.startswith(VARIABLE_SIGIL):
        _check_name(port)
    else:
        parse_port(port)
    if host.startswith(VARIABLE_SIGIL):
        _check_name(host)
    else:
        host = str(parse_backend(host).address)
    return BackendText(host, port)


def _check_name(text: str) -> None:
    if not is_variable(text):
        raise ValueError(f"{text!r} is no variable: letters, digits and `_ . -` after a `^`")


def expand_backend(
    text: str, value_of: ValueOf, version: int, *, has_port: bool
) -> tuple[Backend, ...]:
    """Return what a backend with variables is, given their values.

    All are of one IP version; without a port of the virtual address none has one. Raises
    :class:`UnresolvedError`.

    >>> expand_backend("^B", {"B": "10.0.0.1:80, 10.0.0.2:81"}.get, 4, has_port=True)[1].port
    81
    """
    parsed = parse_backend_text(text)
    if parsed.is_list:
        backends = _listed(parsed.address, value_of)
    else:
        address = expand_address(parsed.address, value_of, version)
        port = expand_port(parsed.port, value_of) if parsed.port else 0
        backends = (Backend(address, port),)
    for each in backends:
        if each.address.version != version:
            reason = f"{each} is no IPv{version} address"
            raise UnresolvedError(parsed.variables[0], reason)
        if each.port and not has_port:
            reason = f"{each} has a port, and the virtual address has none"
            raise UnresolvedError(parsed.variables[0], reason)
    return backends


def expand_member(
    text: str, value_of: ValueOf, version: int | None = None, *, has_port: bool = True
) -> tuple[str, ...]:
    """Return the members of a set that one with variables stands for.

    Of a set of backends they are of the IP `version` of its virtual address, with their ports; of
    an address set (None) they are addresses of either version. Raises :class:`UnresolvedError`.
    """
    if version is not None:
        backends = expand_backend(text, value_of, version, has_port=has_port)
        return tuple(map(str, backends))
    try:
        backends = expand_backend(text, value_of, 4, has_port=has_port)
    except UnresolvedError as error:
        try:
            backends = expand_backend(text, value_of, 6, has_port=has_port)
        except UnresolvedError:
            raise error from None
    return tuple(dict.fromkeys(str(each.address) for each in backends))


def _listed(variable: str, value_of: ValueOf) -> tuple[Backend, ...]:
    value = _value(variable, value_of)
    parts = [part.strip() for part in value.split(",") if part.strip()]
    if len(parts) > MAX_BACKENDS:
        raise UnresolvedError(variable[1:], f"has more than {MAX_BACKENDS} backends")
    try:
        return tuple(dict.fromkeys(map(parse_backend, parts)))
    except ValueError as error:
        raise UnresolvedError(variable[1:], f"is no list of backends: {error}") from None


def expand_address(text: str, value_of: ValueOf, version: int) -> IPv4Address | IPv6Address:
    """Return the address of one IP version that a text stands for; raises UnresolvedError."""
    if not text.startswith(VARIABLE_SIGIL):
        return ip_address(text)
    value = _value(text, value_of).strip()
    try:
        address = ip_address(value.removeprefix("[").removesuffix("]"))
    except ValueError:
        raise UnresolvedError(text[1:], f"{value[:_SHOWN]!r} is no address") from None
    if address.version != version:
        raise UnresolvedError(text[1:], f"{address} is no IPv{version} address")
    return address


def expand_port(text: str, value_of: ValueOf) -> int:
    """Return the port that a text stands for; raises UnresolvedError."""
    if not text.startswith(VARIABLE_SIGIL):
        return parse_port(text)
    value = _value(text, value_of).strip()
    try:
        return parse_port(value)
    except ValueError as error:
        raise UnresolvedError(text[1:], str(error)) from None


_SHOWN: Final = 50
"""Characters of a value in a reason."""


def _value(variable: str, value_of: ValueOf) -> str:
    value = value_of(variable[1:])
    if value is None:
        raise UnresolvedError(variable[1:], "is not set")
    if len(value) > LONGEST_VALUE:
        raise UnresolvedError(variable[1:], f"is longer than {LONGEST_VALUE} characters")
    return value


def variables_of(holes: Sequence[Hole], arguments: Sequence[Argument]) -> tuple[str, ...]:
    """Return the names of the variables in the arguments of a flow, each once."""
    names = (
        argument[1:]
        for hole, argument in zip(holes, arguments, strict=False)
        if isinstance(argument, str) and hole.type in VARIABLE_HOLES
    )
    return tuple(dict.fromkeys(names))


def fill_variables(
    holes: Sequence[Hole], arguments: Sequence[Argument], value_of: ValueOf
) -> tuple[Argument, ...]:
    """Return the arguments of a flow with values in place of variables.

    Raises :class:`UnresolvedError`.
    """
    return tuple(
        _filled(hole.type, argument, value_of)
        if isinstance(argument, str) and hole.type in VARIABLE_HOLES
        else argument
        for hole, argument in zip(holes, arguments, strict=True)
    )


def _filled(kind: HoleType, text: str, value_of: ValueOf) -> Argument:
    if not is_variable(text):
        raise UnresolvedError(text[:_SHOWN], "is no variable")
    if kind is HoleType.INT:
        return expand_port(text, value_of)
    return expand_address(text, value_of, 4 if kind is HoleType.IP4 else 6).packed
