"""Which DHCP options are for which ports."""

from collections.abc import Iterator
from typing import NamedTuple

from incremental import Read
from translator.inputs import LogicalSwitch, LogicalSwitchPort


class SwitchDefaults(NamedTuple):
    """The DHCP options of a switch's ports that have none of their own; empty for none."""

    dhcpv4: str
    dhcpv6: str


def switch_defaults(read: Read, switch: str) -> SwitchDefaults | None:
    """What a switch says for all of its ports, None where that is nothing."""
    row = read(LogicalSwitch, switch)
    if row is None or not (row.dhcpv4_options or row.dhcpv6_options):
        return None
    return SwitchDefaults(row.dhcpv4_options, row.dhcpv6_options)


def options_of_port(read: Read, lsp: str) -> tuple[str, ...] | None:
    """The DHCP options that clients behind a port are told, its own before its switch's."""
    port = read(LogicalSwitchPort, lsp)
    if port is None or not port.dhcp or not port.enabled or not port.hosts:
        return None
    defaults = read(switch_defaults, port.switch) or SwitchDefaults("", "")
    chosen = (port.dhcpv4_options or defaults.dhcpv4, port.dhcpv6_options or defaults.dhcpv6)
    return tuple(filter(None, chosen)) or None


def clients(lsp: str, chosen: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """DHCP options -> the ports whose clients are told them."""
    for options in chosen:
        yield options, lsp
