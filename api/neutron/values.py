"""Values of attributes: what is taken for one, and the form in which it is kept.

A *converter* takes a JSON value and returns it in canonical form, or raises ValueError with the
reason for Neutron's ``Invalid input for NAME. Reason: …``. Clients send booleans and numbers
also as texts.
"""

import ipaddress
import re
from collections.abc import Callable
from typing import Any

from northbound.identity import is_id

Converter = Callable[[Any], Any]

MAXIMUM_NAME = 255
SMALLEST_INTEGER, LARGEST_INTEGER = -(1 << 31), (1 << 31) - 1
"""What an integer column of any database takes."""
MAXIMUM_ELEMENTS = 1000
"""How many elements a list may have."""

_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
_UNKEEPABLE = re.compile(r"[\x00]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def boolean(value: Any) -> bool:
    """
    >>> boolean("True"), boolean(0)
    (True, False)
    """
    if isinstance(value, bool):
        return value
    text = str(value).lower() if isinstance(value, str | int) else ""
    if text in ("true", "1"):
        return True
    if text in ("false", "0"):
        return False
    raise ValueError(f"'{value}' cannot be converted to boolean")


def text(maximum: int = MAXIMUM_NAME) -> Converter:
    """Return the converter of texts of at most `maximum` characters; null stands for none."""

    def convert(value: Any) -> str:
        if value is None:
            return ""
        if not isinstance(value, str):
            raise ValueError(f"'{value}' is not a valid string")
        if len(value) > maximum:
            raise ValueError(f"'{value[:40]}…' exceeds maximum length of {maximum}")
        if _UNKEEPABLE.search(value):
            raise ValueError("it contains NUL")
        return value

    return convert


def line(value: Any) -> str:
    """Take a text without control characters, of at most :data:`MAXIMUM_NAME` characters."""
    taken: str = _NAME(value)
    if _CONTROL.search(taken):
        raise ValueError("it contains control characters")
    return taken


def given(convert: Converter) -> Converter:
    """Return a converter that takes no null for an empty text."""

    def convert_given(value: Any) -> Any:
        if value is None:
            raise ValueError("'None' is not a valid string")
        return convert(value)

    return convert_given


_NAME = text()


def integer(low: int = SMALLEST_INTEGER, high: int = LARGEST_INTEGER) -> Converter:
    """Return the converter of whole numbers within bounds."""

    def convert(value: Any) -> int:
        try:
            if isinstance(value, bool | float):
                raise ValueError
            number = int(value)
        except (TypeError, ValueError):
            raise ValueError(f"'{value}' is not an integer") from None
        if number < low:
            raise ValueError(f"'{number}' is too small - must be at least '{low}'")
        if number > high:
            raise ValueError(f"'{number}' is too large - must be no larger than '{high}'")
        return number

    return convert


def optional(convert: Converter) -> Converter:
    """Return a converter that takes null as it is."""
    return lambda value: None if value is None else convert(value)


def one_of(*choices: Any) -> Converter:
    """Return the converter of values of which there are few."""

    def convert(value: Any) -> Any:
        if value not in choices:
            raise ValueError(f"'{value}' is not in {list(choices)}")
        return value

    return convert


def uuid(value: Any) -> str:
    """
    >>> uuid("0B4B5F0E-52C1-4D1F-9D1F-0F4F3F6B7A11")
    '0b4b5f0e-52c1-4d1f-9d1f-0f4f3f6b7a11'
    """
    if not isinstance(value, str) or not is_id(value):
        raise ValueError(f"'{value}' is not a valid UUID")
    return value.lower()


def mac_address(value: Any) -> str:
    """Take a MAC address of one host: neither a group address nor all zeros."""
    canonical = value.lower().replace("-", ":") if isinstance(value, str) else ""
    is_group = len(canonical) > 1 and canonical[1] in "13579bdf"
    if not _MAC.fullmatch(canonical) or canonical == "00:00:00:00:00:00" or is_group:
        raise ValueError(f"'{value}' is not a valid MAC address")
    return canonical


def ip_address(value: Any) -> str:
    """
    >>> ip_address("FD00::0:1")
    'fd00::1'
    """
    try:
        if not isinstance(value, str) or "%" in value:  # the name of a zone
            raise ValueError
        return str(ipaddress.ip_address(value))
    except ValueError:
        raise ValueError(f"'{value}' is not a valid IP address") from None


def cidr(value: Any) -> str:
    """Take a network with its prefix length, in canonical form."""
    try:
        if not isinstance(value, str) or "/" not in value or "%" in value:
            raise ValueError
        return str(ipaddress.ip_network(value, strict=False))
    except ValueError:
        raise ValueError(f"'{value}' is not a valid IP subnet") from None


def strict_cidr(value: Any) -> str:
    """Take a network with its prefix length and nothing behind the prefix."""
    canonical = cidr(value)
    if ipaddress.ip_address(value.split("/")[0]) != ipaddress.ip_network(canonical).network_address:
        raise ValueError(f"'{value}' is not a valid CIDR")
    return canonical


def list_of(
    convert: Converter, *, unique: bool = False, maximum: int = MAXIMUM_ELEMENTS
) -> Converter:
    """Return the converter of lists; null stands for an empty one."""

    def convert_all(value: Any) -> list[Any]:
        if value is None:
            return []
        if not isinstance(value, list):
            raise ValueError(f"'{value}' is not a list")
        if len(value) > maximum:
            raise ValueError(f"it has more than {maximum} elements")
        converted = [convert(each) for each in value]
        if unique and any(each in converted[:i] for i, each in enumerate(converted)):
            raise ValueError(f"Duplicate items in the list: '{value}'")
        return converted

    return convert_all


def mapping(value: Any) -> dict[str, Any]:
    """Take a JSON object as it is; null stands for an empty one."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError(f"'{value}' is not a dictionary")
    return value


def struct(
    required: dict[str, Converter], optional_keys: dict[str, Converter] | None = None
) -> Converter:
    """Return the converter of JSON objects with these keys and no others."""
    known = {**required, **(optional_keys or {})}

    def convert(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValueError(f"'{value}' is not a dictionary")
        missing, unknown = set(required) - set(value), set(value) - set(known)
        if missing or unknown:
            raise ValueError(
                f"Invalid data format: '{value}' has to have {sorted(required)}"
                + (f" and may have {sorted(optional_keys)}" if optional_keys else "")
            )
        return {key: known[key](each) for key, each in value.items()}

    return convert
