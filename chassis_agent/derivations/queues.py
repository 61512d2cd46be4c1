"""Rows of the Open vSwitch database that make the queues of logical ports.

A port has one QoS, with all queues that flows choose on it. The QoS sends as much as they may
send together, so that each can have its own rate. Flows wait until the database has their
queue (`SwitchPort.queues`), so none is sent to a queue that doesn't exist.
"""

from collections.abc import Iterator
from typing import Final

from chassis_agent.derivations.logical import GroupFlows
from chassis_agent.derivations.templates import EVERYTHING
from chassis_agent.desired.objects import Queue
from chassis_agent.desired.wanted import Wanted
from chassis_agent.inputs import SwitchPort
from chassis_agent.ovsdb.rows import Ref, WantedRow, wanted_row
from incremental import Read

_KILO: Final = 1000
"""The database counts bits, flows and intent count kilobits."""


def queues_by_port(_key: int, group: GroupFlows) -> Iterator[tuple[str, Queue]]:
    """Yield the queues that flows of a group choose, by port."""
    for queue in group.queues:
        yield queue.port, queue


def ports_with_queues(_key: int, group: GroupFlows) -> Iterator[tuple[str, str]]:
    """Yield the ports on which flows of a group choose queues."""
    for queue in group.queues:
        yield EVERYTHING, queue.port


def queue_rows(read: Read, pair: tuple[str, str]) -> Wanted | None:
    """Return the rows of all queues of a port, once it is known where it is plugged in."""
    _, name = pair
    place = read(SwitchPort, name)
    if place is None:
        return None
    # Of two that are wanted under one number the first counts; the clash is told elsewhere.
    queues = {queue.number: queue for queue in reversed(read.members(queues_by_port, name))}
    if not queues:
        return None
    rate = sum(queue.rate for queue in queues.values())
    qos = wanted_row(
        "QoS",
        place.port,
        columns={"type": ["linux-htb"]},
        maps={
            "queues": {number: Ref("Queue", _queue_name(place, number)) for number in queues},
            "other_config": {"max-rate": str(rate * _KILO)},
        },
        owner=place.bridge,
    )
    port = wanted_row(
        "Port", place.port, part="qos", columns={"qos": [Ref("QoS", place.port)]}, is_made=False
    )
    return Wanted(rows=(*(_queue_row(place, queue) for queue in queues.values()), qos, port))


def _queue_name(place: SwitchPort, number: int) -> str:
    return f"{place.port}/{number}"


def _queue_row(place: SwitchPort, queue: Queue) -> WantedRow:
    limits = {"max-rate": str(queue.rate * _KILO)}
    if queue.burst:
        limits["burst"] = str(queue.burst * _KILO)
    return wanted_row(
        "Queue",
        _queue_name(place, queue.number),
        maps={"other_config": limits},
        owner=place.bridge,
    )
