"""What flows refer to in the switch and never changes: the Geneve option, meters, groups.

It has to be there before the flows are, and is looked for again while they are: a switch
drops the flows of a group that is deleted, and lets packets pass a meter that is.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from chassis_agent.bridge.tunnels import OPTION
from chassis_agent.openflow.messages import GroupCommand, TlvMapping, group_mod, tlv_table_add
from chassis_agent.openflow.multipart import InstalledGroup, InstalledMeter
from chassis_agent.physical.multicast import OPENFLOW_GROUPS
from chassis_agent.punt.meters import meter_mods


class Missing(NamedTuple):
    """Something that is not as it should be, and the message that makes it so."""

    name: str
    message: bytes


class Described(Protocol):
    """The questions that are asked of :class:`chassis_agent.openflow.connection.Connection`."""

    async def tlv_table(self) -> list[TlvMapping]: ...
    async def meters(self) -> list[InstalledMeter]: ...
    async def groups(self) -> list[InstalledGroup]: ...


async def missing_groundwork(connection: Described) -> list[Missing]:
    """What the switch lacks or has otherwise, in the order in which to send it."""
    missing = []
    if OPTION not in await connection.tlv_table():
        missing.append(Missing("the Geneve option", tlv_table_add(OPTION)))
    meters = {meter.meter_id: (meter.rate, meter.burst) for meter in await connection.meters()}
    missing += (Missing("a meter", message) for message in meter_mods(meters))
    missing += _missing_groups(await connection.groups())
    return missing


def _missing_groups(installed: Iterable[InstalledGroup]) -> Iterator[Missing]:
    there = {group.group_id: group[1:] for group in installed}
    for wanted in OPENFLOW_GROUPS:
        found = there.get(wanted.group_id)
        if found != (wanted.kind, wanted.encoded_buckets, wanted.encoded_properties):
            command = GroupCommand.ADD if found is None else GroupCommand.MODIFY
            yield Missing(f"group {wanted.group_id}", group_mod(command, wanted))
