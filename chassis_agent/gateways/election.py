"""Who is in charge of a port for which chassis are elected, as this chassis sees it. Pure.

The highest-ranked chassis that is alive is, where alive means that BFD over the tunnel between
here and there says so. Each chassis decides by itself, senders as well as the chassis that may be
in charge, and no controller takes part: views differ for as long as it takes them to notice.

- A port that names one chassis is there.
- A chassis that has lost all others takes itself for cut off, and leaves charge to them.
- Where it is not preemptive, the one that was in charge last, as far as the server has heard,
  stays so while it is alive.
- Where nobody is alive, packets are sent to the last one that was in charge, or to the highest
  rank, for want of anything better.
"""

from collections.abc import Iterator

from chassis_agent.gateways.sessions import GatewayHost, TunnelSession
from chassis_agent.inputs import ThisChassis
from incremental import Read
from southbound.encaps import way_to
from southbound.rows import Chassis, PortBinding


def in_charge(read: Read, row: PortBinding) -> str:
    """Return the chassis that has an elected port; empty where it names none that is known."""
    names = row.electorate
    if len(names) <= 1:
        return next(iter(names), "")
    if not row.preemptive and row.chassis in names and _is_alive(read, row.chassis):
        return row.chassis
    found = next((name for name in names if _is_alive(read, name)), "")
    if found:
        return found
    this = read(ThisChassis, "")
    others = [name for name in names if this is None or name != this.name]
    return row.chassis if row.chassis in others else next(iter(others), "")


def watched_chassis(name: str, row: PortBinding) -> Iterator[tuple[str, str]]:
    """Chassis -> the ports for which it may be elected among others."""
    if len(row.electorate) > 1:
        for chassis in row.electorate:
            yield chassis, name


def _is_alive(read: Read, chassis: str) -> bool:
    """Whether a chassis can have a port. One of which nothing is known yet can."""
    this = read(ThisChassis, "")
    if this is None:
        return False
    if chassis == this.name:
        host = read(GatewayHost, "")
        return host is None or not host.is_isolated
    session = read(TunnelSession, chassis)
    if session is not None:
        return session.state != "down"
    row = read(Chassis, chassis)
    return row is not None and way_to(row, read(Chassis, this.name)) is not None
