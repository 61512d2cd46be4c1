"""The switch on which addresses are announced, and the row that states them.

A feature that has addresses at a router port states a row with :func:`announcement`.
"""

from collections.abc import Sequence

from incremental import Read
from southbound.rows import Announcement
from translator.addresses import ip_text, mac_text
from translator.derivations.relations import ports_leading_outside, switch_ports_towards
from translator.inputs import LogicalRouter, LogicalRouterPort, LogicalSwitchPort


def announcement(
    read: Read, id_: str, at: LogicalRouterPort, port: str, mac: bytes, ips: Sequence[bytes]
) -> Announcement | None:
    """Return the row that has `ips` announced on the switch of the router port `at`.

    The chassis on which `port` is does so. None where the switch leads nowhere, or where the
    router port is not in use.
    """
    router = read(LogicalRouter, at.router)
    switch = _switch_of(read, at)
    if not ips or not switch or not at.enabled or router is None or not router.enabled:
        return None
    if not read.any(ports_leading_outside, switch):
        return None
    return Announcement(id_, switch, port, mac_text(mac), tuple(map(ip_text, ips)))


def _switch_of(read: Read, at: LogicalRouterPort) -> str:
    for lsp in read.members(switch_ports_towards, at.qualified or at.name):
        switch_port = read(LogicalSwitchPort, lsp)
        if switch_port is not None:
            return switch_port.switch if switch_port.enabled else ""
    return ""
