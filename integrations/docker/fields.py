"""Reading the bodies of Docker's calls: JSON from a socket, believed in nothing.

What always holds: a body that is too long, too deep, or has a field of another type than Docker
sends ends in :class:`BadCallError`, which names the field, before anything is done.
"""

import base64
import ipaddress
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from integrations.docker.errors import BadCallError

BODY_LIMIT = 1024 * 1024
DEPTH_LIMIT = 16
_TEXT_LIMIT = 4096
_ID = re.compile(r"[0-9a-f]{64}|[0-9a-z]{25}")
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Interface = ipaddress.IPv4Interface | ipaddress.IPv6Interface
IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


class Fields:
    """The members of one JSON object; `where` is its place in the body."""

    def __init__(self, members: Mapping[str, Any], where: str = "") -> None:
        self._members = members
        self._where = where

    def _error(self, name: str, reason: str) -> BadCallError:
        return BadCallError(f"{self._where}{name}: {reason}")

    def names(self) -> list[str]:
        return list(self._members)

    def text(self, name: str) -> str:
        """Return a text; empty where the member is missing or null."""
        value = self._members.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self._error(name, "is no text")
        if len(value) > _TEXT_LIMIT or not value.isprintable():
            raise self._error(name, "is too long, or has characters that can't be printed")
        return value

    def flag(self, name: str) -> bool:
        """Return a truth value; false where the member is missing."""
        value = self._members.get(name)
        if value is None or value == "":
            return False
        if isinstance(value, bool):
            return value
        if value in ("true", "false"):
            return bool(value == "true")
        raise self._error(name, "is neither true nor false")

    def docker_id(self, name: str) -> str:
        """Return the id of a network or an endpoint: 64 hexadecimal digits, or swarm's 25."""
        value = self.text(name)
        if not _ID.fullmatch(value):
            raise self._error(name, "is no id of Docker's")
        return value

    def network(self, name: str) -> Network | None:
        """Return a network in CIDR notation, or None where the text is empty."""
        text = self.text(name)
        if not text:
            return None
        try:
            return ipaddress.ip_network(text)
        except ValueError as error:
            raise self._error(name, str(error)) from None

    def interface(self, name: str) -> Interface | None:
        """Return an address with the prefix length of its network, or None for an empty text."""
        text = self.text(name)
        if not text:
            return None
        try:
            return ipaddress.ip_interface(text)
        except ValueError as error:
            raise self._error(name, str(error)) from None

    def address(self, name: str) -> IpAddress | None:
        """Return an address, with or without a prefix length, or None for an empty text."""
        interface = self.interface(name)
        return None if interface is None else interface.ip

    def mac(self, name: str) -> str | None:
        """Return a unicast MAC address in lower case, or None where the text is empty."""
        text = self.text(name).lower().replace("-", ":")
        if not text:
            return None
        if not _MAC.fullmatch(text) or int(text[:2], 16) & 1 or not int(text.replace(":", ""), 16):
            raise self._error(name, "is no MAC address that an interface can have")
        return text

    def octets_as_mac(self, name: str) -> str | None:
        """Return the MAC address that six octets in base 64 stand for, if there are any."""
        text = self.text(name)
        try:
            octets = base64.b64decode(text, validate=True)
        except ValueError:
            raise self._error(name, "is no base 64") from None
        if not octets:
            return None
        return Fields({name: octets.hex(":")}, self._where).mac(name)

    def object(self, name: str) -> "Fields":
        """Return a member that is an object; an empty one where it is missing or null."""
        value = self._members.get(name)
        if value is None:
            return Fields({}, f"{self._where}{name}.")
        if not isinstance(value, dict):
            raise self._error(name, "is no object")
        return Fields(value, f"{self._where}{name}.")

    def objects(self, name: str) -> list["Fields"]:
        """Return a member that is a list of objects; empty where it is missing or null."""
        value = self._members.get(name)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            raise self._error(name, "is no list of objects")
        return [Fields(each, f"{self._where}{name}.{i}.") for i, each in enumerate(value)]

    def texts(self) -> dict[str, str]:
        """Return all members, which have to be texts."""
        return {name: self.text(name) for name in self._members}


def parse_body(octets: bytes) -> Fields:
    """Read the body of a call; an empty one is an empty object."""
    if not octets.strip():
        return Fields({})
    try:
        value = json.loads(octets)
    except RecursionError:
        raise BadCallError("the body is nested too deeply") from None
    except ValueError as error:
        raise BadCallError(f"the body is no JSON: {error}") from None
    if not isinstance(value, dict):
        raise BadCallError("the body is no JSON object")
    if any(depth > DEPTH_LIMIT for depth in _depths(value)):
        raise BadCallError("the body is nested too deeply")
    return Fields(value)


def _depths(value: Any) -> Iterator[int]:
    waiting = [(value, 1)]
    while waiting:
        each, depth = waiting.pop()
        yield depth
        if depth > DEPTH_LIMIT:
            return
        inner = each.values() if isinstance(each, dict) else each if isinstance(each, list) else ()
        waiting += [(below, depth + 1) for below in inner]


def network_of(text: str) -> Network:
    """Return a network in CIDR notation; raise ValueError for anything else."""
    return ipaddress.ip_network(text)
