"""Members of address sets, as text, turned into masked values of a field.

A set may hold addresses of several kinds. A field takes those of its own width and
leaves the others alone.
"""

import ipaddress
import re
from functools import lru_cache

from logical_flow.masks import Pattern, ones

_MAC = re.compile(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}")
_MAC_WIDTH = 48
_IP4 = re.compile(r"(?:0|[1-9][0-9]{0,2})(?:\.(?:0|[1-9][0-9]{0,2})){3}", re.ASCII)
_IP4_WIDTH = 32


@lru_cache(maxsize=65536)
def member_pattern(member: str, width: int) -> Pattern | None:
    """What `member` asks of a field `width` bits wide, or None when it is no member there.

    Host bits of a prefix are ignored.

    >>> member_pattern("10.0.0.1/8", 32) == (10 << 24, 0xff << 24)
    True
    >>> member_pattern("10.0.0.1", 128) is None
    True
    """
    if _MAC.fullmatch(member):
        return (int(member.replace(":", ""), 16), ones(width)) if width == _MAC_WIDTH else None
    if _IP4.fullmatch(member):  # what most members are, in a quarter of the time
        octets = [int(octet) for octet in member.split(".")]
        if max(octets) <= 255 and width == _IP4_WIDTH:
            return int.from_bytes(bytes(octets)), ones(_IP4_WIDTH)
        return None
    try:
        network = ipaddress.ip_network(member, strict=False)
    except ValueError:
        return None
    if network.max_prefixlen != width:
        return None
    return int(network.network_address), int(network.netmask)
