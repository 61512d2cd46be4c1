"""The fields that groups choose by, where an action names them.

Open vSwitch takes the bucket with the highest score, which is a hash of these fields and the
bucket's number: one that comes or goes moves those packets alone that it gets or had.
"""

from collections.abc import Callable, Iterable
from typing import Final

from chassis_agent.compile.encoders.encoding import Encoding
from chassis_agent.compile.errors import BadArgumentsError
from chassis_agent.compile.splice import Arguments
from chassis_agent.openflow.oxm import FIELDS
from logical_flow.action.hashing import hash_fields_in, hash_fields_of_argument
from logical_flow.errors import TemplateError
from logical_flow.holes import Hole

_FIELDS: Final = {
    "eth_dst": ("eth_dst",),
    "eth_src": ("eth_src",),
    "ip_dst": ("ip_dst", "ipv6_dst"),
    "ip_proto": ("ip_proto",),
    "ip_src": ("ip_src", "ipv6_src"),
    "tp_dst": ("tcp_dst", "udp_dst", "sctp_dst"),
    "tp_src": ("tcp_src", "udp_src", "sctp_src"),
}
"""The switch passes over fields that a packet doesn't have."""


def hashed_fields(fields: str | Hole, encoding: Encoding) -> Callable[[Arguments], bytes]:
    """Return what tells the fields of a flow as the switch describes them: empty for none."""
    if isinstance(fields, Hole):
        position = encoding.position(fields)

        def named(arguments: Arguments) -> bytes:
            try:
                return encoded_hash_fields(hash_fields_of_argument(arguments[position]))
            except TemplateError as error:
                raise BadArgumentsError(str(error)) from error

        return named
    same = encoded_hash_fields(hash_fields_in(fields)) if fields else b""
    return lambda _arguments: same


def encoded_hash_fields(names: Iterable[str]) -> bytes:
    """Return fields as the switch describes them, in its own order."""
    fields = {FIELDS[field] for name in names for field in _FIELDS[name]}
    return b"".join(
        field.header() + field.value_bytes(field.full_mask)
        for field in sorted(fields, key=lambda field: field.rank)
    )
