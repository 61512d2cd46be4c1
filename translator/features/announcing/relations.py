"""The switch on which addresses are announced, and the row that states them.

A feature that has addresses at a router port states a row with :func:`announcement`.
"""

from collections.abc import Sequence

from incremental import Read
from southbound.rows import Announcement
from translator.addresses import ip_text, mac_text
from translator.derivations.relations import ports_leading_outside, switch_port_towards
from translator.inputs import LogicalRouter, LogicalRouterPort


def announcement(
    read: Read, id_: str, at: LogicalRouterPort, port: str, mac: bytes, ips: Sequence[bytes]
) -> Announcement | None:
    """Return the row that has `ips` announced on the switch of the router port `at`.

    The chassis on which `port` is does so. None where the switch leads nowhere, or where the
    router port is not in use.
    """
    router = read(LogicalRouter, at.router)
    leading = switch_port_towards(read, at)
    if not ips or not at.enabled or router is None or not router.enabled:
        return None
    if leading is None or not leading.enabled:
        return None
    if not read.any(ports_leading_outside, leading.switch):
        return None
    return Announcement(id_, leading.switch, port, mac_text(mac), tuple(map(ip_text, ips)))
