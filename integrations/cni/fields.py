"""Reading JSON that others wrote: every value has its type, and no text or list is endless.

What is wrong is a :class:`CniError` that names the field.
"""

import ipaddress
import json
import re
from collections.abc import Mapping
from typing import Any

from integrations.cni.errors import UNDECODABLE, CniError, invalid

DOCUMENT_LIMIT = 1024 * 1024
_TEXT_LIMIT = 4096
_LIST_LIMIT = 10_000
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")


def read_document(octets: bytes) -> dict[str, Any]:
    """Return the JSON object that is written in `octets`."""
    if len(octets) > DOCUMENT_LIMIT:
        raise CniError(UNDECODABLE, f"the configuration has more than {DOCUMENT_LIMIT} octets")
    try:
        document = json.loads(octets)
    except RecursionError:
        raise CniError(UNDECODABLE, "the configuration is nested too deeply") from None
    except ValueError as error:
        raise CniError(UNDECODABLE, "the configuration is no JSON", str(error)) from None
    if not isinstance(document, dict):
        raise CniError(UNDECODABLE, "the configuration is no JSON object")
    return document


class Fields:
    """The fields of one JSON object; `path` is what comes before their names in errors."""

    def __init__(self, values: Mapping[str, Any], path: str = "") -> None:
        self._values = values
        self._path = path

    def __contains__(self, name: str) -> bool:
        return self._values.get(name) is not None

    def __iter__(self) -> Any:
        return iter(self._values)

    def where(self, name: str) -> str:
        """Return how errors call a field."""
        return f"{self._path}.{name}" if self._path else name

    def text(self, name: str, default: str | None = None) -> str | None:
        value = self._values.get(name)
        if value is None or value == "":
            return default
        return _text(value, self.where(name))

    def needed_text(self, name: str) -> str:
        value = self.text(name)
        if value is None:
            raise invalid(self.where(name), "is needed")
        return value

    def boolean(self, name: str, default: bool) -> bool:
        value = self._values.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise invalid(self.where(name), "has to be true or false")
        return value

    def integer(self, name: str, low: int, high: int) -> int | None:
        """Return a number from `low` to `high`, or None if there is none."""
        value = self._values.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise invalid(self.where(name), f"has to be a whole number from {low} to {high}")
        return value

    def texts(self, name: str) -> list[str]:
        return [
            _text(value, f"{self.where(name)}[{i}]") for i, value in enumerate(self._list(name))
        ]

    def object(self, name: str) -> "Fields":
        """Return the fields of an object within; of none, if it isn't there."""
        value = self._values.get(name)
        if value is None:
            return Fields({}, self.where(name))
        if not isinstance(value, dict):
            raise invalid(self.where(name), "has to be an object")
        return Fields(value, self.where(name))

    def objects(self, name: str) -> list["Fields"]:
        entries = []
        for i, value in enumerate(self._list(name)):
            where = f"{self.where(name)}[{i}]"
            if not isinstance(value, dict):
                raise invalid(where, "has to be an object")
            entries.append(Fields(value, where))
        return entries

    def text_map(self, name: str) -> dict[str, str]:
        fields = self.object(name)
        if len(fields._values) > _LIST_LIMIT:
            raise invalid(self.where(name), f"has more than {_LIST_LIMIT} entries")
        return {key: _text(value, fields.where(key)) for key, value in fields._values.items()}

    def raw(self) -> dict[str, Any]:
        """Return the object as it was given."""
        return dict(self._values)

    def _list(self, name: str) -> list[Any]:
        value = self._values.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise invalid(self.where(name), "has to be a list")
        if len(value) > _LIST_LIMIT:
            raise invalid(self.where(name), f"has more than {_LIST_LIMIT} entries")
        return value


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise invalid(where, "has to be a text")
    if len(value) > _TEXT_LIMIT:
        raise invalid(where, f"is longer than {_TEXT_LIMIT} characters")
    if not value.isprintable():
        raise invalid(where, "has characters that can't be printed")
    return value


def parse_mac(text: str, where: str) -> str:
    """Return a MAC address of one host as it is written everywhere here: in lower case."""
    mac = text.lower().replace("-", ":")
    if not _MAC.fullmatch(mac) or int(mac[:2], 16) & 1 or mac == "00:00:00:00:00:00":
        raise invalid(where, f"{text!r} is no MAC address of a host")
    return mac


def parse_ip(text: str, where: str) -> str:
    """Return an IP address in its shortest form."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise invalid(where, f"{text!r} is no IP address") from None
    if address.version == 6 and "%" in text:
        raise invalid(where, f"{text!r} has a scope, which has no meaning here")
    return str(address)


def parse_interface(text: str, where: str) -> str:
    """Return an IP address with its prefix length; without one it is a host's alone."""
    try:
        return str(ipaddress.ip_interface(text))
    except ValueError:
        raise invalid(where, f"{text!r} is no IP address with a prefix length") from None


def parse_network(text: str, where: str) -> str:
    """Return a network with its prefix length."""
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        raise invalid(where, f"{text!r} is no network") from None
