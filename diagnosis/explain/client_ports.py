"""Which client ports to try, so that no ACL's idea of them is missed.

ACLs look at ports of a transport protocol; which end is the client's they don't know. Between
two neighbouring constants of their matches all ports are alike. So each constant is tried,
and what is right beside it.
"""

import re
from collections.abc import Iterator
from typing import Final

from sqlalchemy import or_, select

from diagnosis.trace.words import EPHEMERAL_PORT
from northbound.models import Acl
from northbound.transaction import Reader

USUAL: Final = 32768
"""Clients that don't choose get ports from here on: Linux has 32768 to 60999, RFC 6335 says
49152 to 65535."""
_LOWEST = 1024
"""Below are ports that only privileged programs get (RFC 6056, 3.2)."""
MOST_PORTS: Final = 24
"""How many ports are tried from :data:`USUAL` on, and how many below."""
_HIGHEST = 65535
_MOST_ACLS = 2000
_NUMBER = re.compile(r"(?<![\w.:$@\"-])(?:0x[0-9a-fA-F]+|[0-9]+)(?![\w.:])")


def ports_to_try(reader: Reader) -> list[int]:
    """Ports of which each is unlike the others to some ACL, privileged ones left out."""
    found = {EPHEMERAL_PORT, USUAL, _LOWEST, _HIGHEST}
    for match in _matches(reader):
        for text in _NUMBER.findall(match):
            number = int(text, 0)
            found.update((number - 1, number, number + 1))
    return sorted(port for port in found if _LOWEST <= port <= _HIGHEST)


def _matches(reader: Reader) -> Iterator[str]:
    """The matches that compare a transport port."""
    fields = (f"{protocol}.{end}" for protocol in ("tcp", "udp", "sctp") for end in ("src", "dst"))
    query = select(Acl.match).where(or_(*(Acl.match.contains(each) for each in fields))).distinct()
    yield from reader.session.scalars(query.limit(_MOST_ACLS))
