"""DNS records, in record sets under names that are their UUIDs: in OVN they have no others.

A record of OVN is a name with addresses, or one in the domains of reverse look-ups with a name.
"""

from collections.abc import Mapping
from typing import Final

from cli.import_ovn.draft import Draft, Values
from cli.import_ovn.needs import is_true
from cli.import_ovn.snapshot import Row
from northbound.errors import InvalidError
from northbound.specs.base import validate
from northbound.specs.dns import DnsRecordProperties, DnsRecordSetProperties

_REVERSE: Final = (".in-addr.arpa", ".ip6.arpa")
_TTL: Final = 3600
"""What OVN tells clients, in seconds."""


def record_sets(draft: Draft, switches: Mapping[str, str]) -> dict[str, Values]:
    """The record sets of a database; `switches` has the names of its switches by UUID."""
    found = {}
    for row in draft.snapshot.rows("DNS"):
        attached = draft.snapshot.owners(row, "Logical_Switch", "dns_records")
        values = {
            "switches": sorted(switches[each.uuid] for each in attached),
            "owned": is_true(row.mapping("options").get("ovn-owned", "")),
            "ttl": _TTL,
        }
        accepted = draft.accepted(row, DnsRecordSetProperties, values)
        if accepted is not None:
            records = _records(draft, row)
            found[row.uuid] = accepted | ({"records": records} if records else {})
    return found


def _records(draft: Draft, row: Row) -> list[Values]:
    """The records of a set, each judged by itself; the first of two for one name is kept."""
    kept: dict[str, Values] = {}
    for hostname, text in sorted(row.mapping("records").items()):
        column = f"records:{hostname}"
        try:
            record = validate(DnsRecordProperties, _record(hostname, text))
        except InvalidError as error:
            draft.report.lost(row, column, f"not imported: {error.problems[0].reason}")
            continue
        values = record.model_dump(exclude_defaults=True)
        if kept.setdefault(record.hostname, values) is not values:
            draft.report.lost(row, column, f"not imported: {record.hostname} has another record")
    return list(kept.values())


def _record(hostname: str, text: str) -> Values:
    if hostname.lower().removesuffix(".").endswith(_REVERSE):
        return {"hostname": hostname, "pointer": text.strip()}
    return {"hostname": hostname, "addresses": text.replace(",", " ").split()}
