"""Which DHCP options are for which ports."""

from collections.abc import Iterator
from typing import NamedTuple

from incremental import Read
from translator.inputs import LogicalSwitch, LogicalSwitchPort


class SwitchDefaults(NamedTuple):
    """The DHCP options of a switch's ports that have none of their own; empty for none."""

    dhcpv4: str
    dhcpv6: str


class Served(NamedTuple):
    """DHCP options that the clients behind a port are told."""

    port: str
    options: tuple[str, ...]


def has_defaults(row: LogicalSwitch) -> bool:
    """Whether a switch has DHCP options for its ports."""
    return bool(row.dhcpv4_options or row.dhcpv6_options)


def switch_defaults(read: Read, switch: str) -> SwitchDefaults | None:
    """What a switch says for all of its ports, None where that is nothing."""
    row = read(LogicalSwitch, switch)
    if row is None or not has_defaults(row):
        return None
    return SwitchDefaults(row.dhcpv4_options, row.dhcpv6_options)


def has_own_options(port: LogicalSwitchPort) -> bool:
    """Whether clients behind a port are told options of its own."""
    return _is_served(port) and bool(port.dhcpv4_options or port.dhcpv6_options)


def own_options(read: Read, lsp: str) -> Served | None:
    """The DHCP options that a port has of its own."""
    port = read(LogicalSwitchPort, lsp)
    if port is None or not has_own_options(port):
        return None
    return Served(lsp, tuple(filter(None, (port.dhcpv4_options, port.dhcpv6_options))))


def ports_of_switch(lsp: str, port: LogicalSwitchPort) -> Iterator[tuple[str, str]]:
    """Switch -> its ports behind which there may be clients."""
    if _is_served(port):
        yield port.switch, lsp


def inherited_options(read: Read, pair: tuple[str, str]) -> Served | None:
    """The DHCP options that a port has of its switch: those of a family for which it has none."""
    switch, lsp = pair
    port, defaults = read(LogicalSwitchPort, lsp), read(switch_defaults, switch)
    if port is None or defaults is None:
        return None
    dhcpv4 = "" if port.dhcpv4_options else defaults.dhcpv4
    dhcpv6 = "" if port.dhcpv6_options else defaults.dhcpv6
    return Served(lsp, tuple(filter(None, (dhcpv4, dhcpv6))))


def clients(_key: object, served: Served) -> Iterator[tuple[str, str]]:
    """DHCP options -> the ports whose clients are told them."""
    for options in served.options:
        yield options, served.port


def _is_served(port: LogicalSwitchPort) -> bool:
    return port.dhcp and port.enabled and bool(port.hosts)
