"""DNS record sets and their records."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar

from sqlalchemy import bindparam, select

from northbound.errors import InvalidError
from northbound.models import LogicalSwitch, Resource
from northbound.models.dns import DnsRecord, DnsRecordSet, DnsRecordSetSwitch
from northbound.services.base import Service
from northbound.services.lookups import resolve
from northbound.services.members import Members
from northbound.specs.dns import DnsRecordSetSpec, DnsRecordSpec
from northbound.transaction import Reader, Transaction

_SWITCH_NAMES = (
    select(DnsRecordSetSwitch.dns_record_set_id, LogicalSwitch.name)
    .join(LogicalSwitch, LogicalSwitch.id == DnsRecordSetSwitch.logical_switch_id)
    .where(DnsRecordSetSwitch.dns_record_set_id.in_(bindparam("sets", expanding=True)))
    .order_by(LogicalSwitch.name)
)


class SwitchMembers(Members):
    """The switches of record sets, which users know by name."""

    def shown(self, reader: Reader, owner_ids: Sequence[str]) -> Mapping[str, list[str]]:
        members: dict[str, list[str]] = defaultdict(list)
        for set_id, name in reader.session.execute(_SWITCH_NAMES, {"sets": list(owner_ids)}):
            members[set_id].append(name)
        return members

    def stored(self, tx: Transaction, owner: Resource, values: Collection[str]) -> Collection[str]:
        """A project answers its own workloads alone: a switch that others share is not taken."""
        ids: dict[str, None] = {}
        for i, ref in enumerate(values):
            switch = resolve(tx, LogicalSwitch, ref, "switches", i, home=owner.project)
            if switch.project != owner.project:
                reason = "belongs to another project"
                raise InvalidError.of("switches", i, reason=reason, value=ref)
            ids[switch.id] = None
        return ids.keys()


SWITCHES_OF_RECORD_SETS = SwitchMembers(
    DnsRecordSetSwitch, "dns_record_set_id", "logical_switch_id", "switches"
)


class DnsRecordSetService(Service[DnsRecordSet, DnsRecordSetSpec]):
    """A record set's records go with it."""

    model = DnsRecordSet
    spec = DnsRecordSetSpec
    members: ClassVar[dict[str, Members]] = {"switches": SWITCHES_OF_RECORD_SETS}


class DnsRecordService(Service[DnsRecord, DnsRecordSpec]):
    """Records have no name of their own kind; they are addressed by id."""

    model = DnsRecord
    spec = DnsRecordSpec
