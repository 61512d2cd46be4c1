"""Ranges of TCP and UDP ports as users write them: ``30000-30999``, or one port."""

import re

_PORTS = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?", re.ASCII)
_LAST_PORT = 65535


def parse_port_range(text: str) -> tuple[int, int]:
    """Return the first and the last port of a range; raises ValueError.

    >>> parse_port_range("30000-30999"), parse_port_range("8080")
    ((30000, 30999), (8080, 8080))
    """
    found = _PORTS.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no port and no range of ports, such as 30000-30999")
    first = int(found[1])
    last = int(found[2] or first)
    if not 1 <= first <= last <= _LAST_PORT:
        raise ValueError(f"{text!r} is no range of ports from 1 to {_LAST_PORT}")
    return first, last
