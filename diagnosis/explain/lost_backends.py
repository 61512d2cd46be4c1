"""What to do where a virtual address has no backend, or none that answers."""

from collections.abc import Mapping, Sequence
from typing import Final

_SHOWN: Final = 3


def advice(subject: str, backends: Sequence[str], down: Mapping[str, str]) -> str:
    """Return what brings a backend back; `down` says of backends why they are not in use.

    >>> advice("10.96.0.1:80 of load balancer shop", [], {})
    'give 10.96.0.1:80 of load balancer shop a backend'
    >>> advice("10.96.0.1:80", ["10.0.0.1:80"], {"10.0.0.1:80": "nothing listens on TCP port 80"})
    'bring one of the backends of 10.96.0.1:80 back: 10.0.0.1:80 (nothing listens on TCP port 80)'
    """
    if not backends:
        return f"give {subject} a backend"
    named = [f"{each} ({down[each]})" if each in down else each for each in backends[:_SHOWN]]
    more = len(backends) - _SHOWN
    rest = f" and {more} more" if more > 0 else ""
    return f"bring one of the backends of {subject} back: {', '.join(named)}{rest}"
