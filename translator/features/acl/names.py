"""What the match of an ACL or a policy names, by the names of flows.

A match names sets and ports of its object's own project, those of others as ``project/name``, and
any by id. In flows all have names that are unique over projects: see :mod:`translator.names`.
"""

import re
from collections.abc import Iterator

from incremental import Read
from logical_flow.match_parser import parse_match
from logical_flow.set_names import rename
from northbound.identity import ID_PATTERN, is_id
from northbound.names import DEFAULT_PROJECT, parse_name, qualified_name
from translator.derivations.relations import router_port_named
from translator.errors import UnknownNameError
from translator.inputs import AddressSet, LogicalRouterPort, LogicalSwitchPort, PortGroup

_FAMILIES = ("_ip4", "_ip6")
_BEYOND = re.compile(rf'[$@"][A-Za-z0-9_.:-]*/|{ID_PATTERN}', re.IGNORECASE)


def address_sets_named(address_set: str, row: AddressSet) -> Iterator[tuple[str, str]]:
    """Qualified name -> the address set of that name."""
    yield row.qualified or row.name, address_set


def port_groups_named(port_group: str, row: PortGroup) -> Iterator[tuple[str, str]]:
    """Qualified name -> the port group of that name."""
    yield row.qualified or row.name, port_group


def switch_ports_named(lsp: str, row: LogicalSwitchPort) -> Iterator[tuple[str, str]]:
    """Qualified name -> the switch port of that name, for projects other than ``default``."""
    if row.qualified and row.qualified != row.name:
        yield row.qualified, lsp


def match_for_flows(read: Read, match: str, project: str) -> str:
    """Return the match of an ACL or policy with the names that flows have for what it names.

    Raises UnknownNameError for a set that isn't there.
    """
    if project == DEFAULT_PROJECT and not _names_beyond(match):
        return match

    def name_in_flows(written: str) -> str:
        if written[:1] in ("$", "@"):
            return _set_in_flows(read, project, written)
        return _port_in_flows(read, project, written)

    return rename(str(parse_match(match, negations=True)), name_in_flows)


def _names_beyond(match: str) -> bool:
    """Tell whether a match of ``default`` may name something by id, or of another project."""
    return _BEYOND.search(match) is not None


def _set_in_flows(read: Read, project: str, written: str) -> str:
    sigil, ref = written[0], written[1:]
    if sigil == "$":
        address_set = _address_set(read, project, ref)
        if address_set is not None:
            return f"${address_set.name}"
        if ref.endswith(_FAMILIES):
            group = _port_group(read, project, ref[:-4])
            if group is not None:
                return f"${group.name}{ref[-4:]}"
    else:
        group = _port_group(read, project, ref)
        if group is not None:
            return f"@{group.name}"
    raise UnknownNameError(f"{written} names nothing in project {project}")


def _address_set(read: Read, project: str, ref: str) -> AddressSet | None:
    if is_id(ref):
        return read(AddressSet, ref.lower())
    found = read.members(address_sets_named, _qualified(project, ref))
    return read(AddressSet, found[0]) if found else None


def _port_group(read: Read, project: str, ref: str) -> PortGroup | None:
    if is_id(ref):
        return read(PortGroup, ref.lower())
    found = read.members(port_groups_named, _qualified(project, ref))
    return read(PortGroup, found[0]) if found else None


def _port_in_flows(read: Read, project: str, ref: str) -> str:
    """Return the name of a port in flows; one that isn't there gets a name that no port has."""
    if is_id(ref):
        port = read(LogicalSwitchPort, ref.lower()) or read(LogicalRouterPort, ref.lower())
        return ref if port is None else port.name
    qualified = _qualified(project, ref)
    found = read.members(switch_ports_named, qualified)
    port = read(LogicalSwitchPort, found[0]) if found else router_port_named(read, qualified)
    return qualified if port is None else port.name


def _qualified(project: str, ref: str) -> str:
    said, name = parse_name(ref)
    return qualified_name(said or project, name, DEFAULT_PROJECT)
