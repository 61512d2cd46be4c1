"""Spreading connections over backends: a group of type ``select``, a bucket for each backend.

A bucket commits the connection with its destination translated, and lets the packet go on
from there. Without a backend the only bucket lets it go on as it is; as long as the backends
aren't known it drops, since a connection that goes on would never get one. The group's number comes
from the set's name, not from its members, and from nothing of the datapath: switches that have
the same virtual address share the group, and a backend that comes or goes replaces its buckets
in place.

A backend has the same number in every group and for as long as it is there, so another one that
comes or goes changes none of its scores (:mod:`chassis_agent.compile.encoders.hashing`).
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

from chassis_agent.compile.context import PackContext
from chassis_agent.compile.encoders.encoding import Encoding, with_number
from chassis_agent.compile.encoders.hashing import hashed_fields
from chassis_agent.compile.encoders.tracking import zone_register
from chassis_agent.compile.splice import Arguments, Assembly, Splice
from chassis_agent.openflow import actions as act
from chassis_agent.openflow.messages import Bucket
from logical_flow.action import Balance
from logical_flow.backends import Backend, backends_of
from logical_flow.holes import Hole

_LAST_BUCKET: Final = 0xFFFFFEFF


def encode_balance(action: Balance, encoding: Encoding) -> Assembly:
    zone = zone_register(encoding, None)
    next_table = encoding.leading_to(None)
    marks = Splice(encoding.encode(action.marks))
    backends = action.backends
    position = encoding.position(backends) if isinstance(backends, Hole) else None
    identity = (encoding.pipeline, encoding.template)
    hashed = hashed_fields(action.hash_fields, encoding)

    def source(arguments: Arguments, context: PackContext) -> bytes:
        (table,) = next_table(arguments, context)
        name = str(backends) if position is None else str(arguments[position])
        marked = marks.fill(arguments, context)

        def commit(backend: Backend) -> bytes:
            nat = act.nat(destination=True, first=backend.address, port_min=backend.port or None)
            return act.ct(zone=zone, commit=True, table=table, nested=nat + marked)

        chosen = backends_of(context.members(name))
        texts = [str(each) for each in chosen]
        numbers = bucket_numbers(texts)
        buckets = [
            Bucket(numbers[text], commit(each), weight=1)
            for text, each in zip(texts, chosen, strict=True)
        ]
        if not chosen:
            goes_on = act.resubmit(table) if context.is_known(name) else b""
            buckets.append(Bucket(0, goes_on, weight=1))
        fields = hashed(arguments)
        description = repr((*identity, name, table, marked))
        return context.select_group(description.encode(), buckets, fields).to_bytes(4)

    return with_number(act.group, source)


def bucket_numbers(backends: Sequence[str]) -> dict[str, int]:
    """Return a number for each backend, which depends on the others where two hashes meet alone.

    >>> one, both = bucket_numbers(["10.0.0.1:80"]), bucket_numbers(["10.0.0.1:80", "10.0.0.2:80"])
    >>> one["10.0.0.1:80"] == both["10.0.0.1:80"] != both["10.0.0.2:80"]
    True
    """
    numbers: dict[str, int] = {}
    taken: set[int] = set()
    for backend in sorted(backends):
        digest = blake2b(backend.encode(), digest_size=8).digest()
        number = int.from_bytes(digest) % (_LAST_BUCKET + 1)
        while number in taken:
            number = 0 if number == _LAST_BUCKET else number + 1
        taken.add(number)
        numbers[backend] = number
    return numbers
