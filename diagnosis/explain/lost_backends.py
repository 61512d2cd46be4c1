"""What to do where a virtual address has no backend, or none that answers."""

from collections.abc import Mapping, Sequence
from typing import Final

_SHOWN: Final = 3


def revival(subject: str, chosen: str, down: Mapping[str, str]) -> str:
    """Return that one backend is to be brought back, of several that are `down` for reasons.

    >>> revival("10.96.0.1:80", "10.0.0.1:80", {"10.0.0.1:80": "nothing listens there"})
    'bring backend 10.0.0.1:80 (nothing listens there) of 10.96.0.1:80 back'
    >>> revival("10.96.0.1:80", "10.0.0.2:80", {"10.0.0.1:80": "no answer", "10.0.0.2:80": "lost"})
    'bring backend 10.0.0.2:80 (lost) of 10.96.0.1:80 back, or else 10.0.0.1:80 (no answer)'
    """
    text = f"bring backend {chosen} ({down[chosen]}) of {subject} back"
    others = [each for each in down if each != chosen]
    return f"{text}, or else {_listed(others, down)}" if others else text


def advice(subject: str, backends: Sequence[str], down: Mapping[str, str]) -> str:
    """Return what brings a backend back; `down` says of backends why they are not in use.

    >>> advice("10.96.0.1:80 of load balancer shop", [], {})
    'give 10.96.0.1:80 of load balancer shop a backend'
    >>> advice("10.96.0.1:80", ["10.0.0.1:80"], {"10.0.0.1:80": "nothing listens on TCP port 80"})
    'bring one of the backends of 10.96.0.1:80 back: 10.0.0.1:80 (nothing listens on TCP port 80)'
    """
    if not backends:
        return f"give {subject} a backend"
    return f"bring one of the backends of {subject} back: {_listed(backends, down)}"


def _listed(backends: Sequence[str], down: Mapping[str, str]) -> str:
    named = [f"{each} ({down[each]})" if each in down else each for each in backends[:_SHOWN]]
    more = len(backends) - _SHOWN
    return ", ".join(named) + (f" and {more} more" if more > 0 else "")
