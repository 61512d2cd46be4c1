"""How OVN reads the addresses in its northbound database.

It takes spellings that Treadle doesn't (``0:1:2:3:4:2``, ``010.0.0.257``, a prefix length
behind an address), passes over elements of a set that it cannot read, and of an element
over what comes after the part that it can. Functions here return Treadle's spelling of
what OVN reads, and what it passes over; whether Treadle takes such an address is for the
specs of `northbound` to say.
"""

import ipaddress
import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from logical_flow.constants import Form, Integer
from logical_flow.errors import LanguageError
from logical_flow.lexer import Lexer

Interface = ipaddress.IPv4Interface | ipaddress.IPv6Interface

_MAC: Final = re.compile(r"[0-9A-Fa-f]+(?::[0-9A-Fa-f]+){5}")
_IP4: Final = re.compile(r"(\d+)\.(\d+)\.(\d+)\.(\d+)(/.*)?", re.ASCII)
_WIDTHS: Final = {Form.IPV4: 32, Form.IPV6: 128, Form.ETHERNET: 48}
_OCTET: Final = 256
"""What OVN reads as an octet is whatever number stands there, modulo this."""


class Element(NamedTuple):
    """An element of a port's addresses: words in Treadle's spelling, and the rest."""

    text: str
    passed_over: str


def mac(text: str) -> str | None:
    """A MAC address with two digits for each octet; None if OVN reads none.

    >>> mac("0:1:2:3:4:A"), mac("00-01-02-03-04-05")
    ('00:01:02:03:04:0a', None)
    """
    if not _MAC.fullmatch(text):
        return None
    return ":".join(f"{int(octet, 16) % _OCTET:02x}" for octet in text.split(":"))


def interface(text: str) -> Interface | None:
    """An IP address, with the length of its prefix or a mask behind it if there is one.

    >>> interface("010.0.0.257/255.255.255.0"), interface("10.0.0")
    (IPv4Interface('10.0.0.1/24'), None)
    """
    found = _IP4.fullmatch(text)
    if found is not None:
        *octets, length = found.groups(default="")
        text = ".".join(str(int(octet) % _OCTET) for octet in octets) + length
    elif ":" not in text:
        return None
    try:
        return ipaddress.ip_interface(text)
    except ValueError:
        return None


def address(text: str) -> str | None:
    """An IP address without a prefix length, or with that of a single host."""
    found = interface(text)
    return str(found.ip) if found and found.network.num_addresses == 1 else None


def port_address(text: str) -> Element | None:
    """An element of ``addresses``, without the prefix lengths, which mean nothing there.

    None if OVN passes over all of it.

    >>> port_address("0:1:2:3:4:2 10.0.0.1/24 etc 10.0.0.2")
    Element(text='00:01:02:03:04:02 10.0.0.1', passed_over='etc 10.0.0.2')
    """
    words = text.split()
    if words in (["unknown"], ["router"]):
        return Element(words[0], "")
    if words[:1] == ["dynamic"]:
        hosts = [interface(word) for word in words[1:]]
        return Element(" ".join(["dynamic", *(str(host.ip) for host in hosts if host)]), "")
    if words[1:] == ["dynamic"]:
        found = mac(words[0])
        return None if found is None else Element(f"{found} dynamic", "")
    return _element(words, lengths=False)


def port_security(text: str) -> Element | None:
    """An element of ``port_security``; None if there is no MAC address at its begin."""
    return _element(text.split(), lengths=True)


def set_member(text: str) -> str | None:
    """A member of an address set; None if OVN reads none.

    Sets are written in the language of matches, which is stricter, and of which OVN reads
    the first constant.

    >>> set_member("10.0.0.7/24 etc"), set_member("10.0.0.300"), set_member("0:1:2:3:4:5")
    ('10.0.0.7/24', None, None)
    """
    word = next(iter(text.split()), "")
    return None if member_width(word) is None else word


def member_width(member: str) -> int | None:
    """The bits of a member of an address set, without which no field is compared with it."""
    try:
        lexer = Lexer(member)
        value = lexer.advance().value
        lexer.expect_end()
    except LanguageError:
        return None
    if not isinstance(value, Integer):
        return None
    return _WIDTHS.get(value.form, value.value.bit_length())


def selection_fields(names: Iterable[str]) -> list[str]:
    """Fields that a choice follows from, which Treadle names for both families at once.

    >>> selection_fields(["tp_src", "ipv6_src", "ip_src"])
    ['ip_src', 'tp_src']
    """
    return sorted({name.replace("ipv6_", "ip_") for name in names})


def _element(words: list[str], *, lengths: bool) -> Element | None:
    first = mac(words[0]) if words else None
    if first is None:
        return None
    read = [first]
    for word in words[1:]:
        found = interface(word)
        if found is None:
            break
        read.append(str(found) if lengths and "/" in word else str(found.ip))
    return Element(" ".join(read), " ".join(words[len(read) :]))
