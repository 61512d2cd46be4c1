"""The tunnel ports on which BFD runs: rows of the Open vSwitch database. Pure.

There is one towards each chassis that shares a port for which chassis are elected with this one:
those that may be in charge of it, and those that send to them. Packets from that chassis arrive
there; what is sent goes through the one tunnel port of all, as ever.
"""

from typing import Final

from chassis_agent.bridge.tunnels import port_options
from chassis_agent.desired.wanted import Wanted
from chassis_agent.gateways.election import watched_chassis
from chassis_agent.gateways.sessions import PEER
from chassis_agent.inputs import ThisChassis
from chassis_agent.ovsdb.rows import Parent, Ref, wanted_row
from chassis_agent.physical.probes import fingerprint
from incremental import Read
from southbound.encaps import way_to
from southbound.rows import Chassis

INTERVAL: Final = 200
"""Milliseconds between packets of a session. Three that are missing mean that it is down, so that
another chassis is in charge well within a second."""


def session_rows(read: Read, chassis: str) -> Wanted | None:
    """Return the port towards a chassis that is watched from here, or that watches this one."""
    this = read(ThisChassis, "")
    row = read(Chassis, chassis)
    if this is None or row is None or chassis == this.name or not this.bridge:
        return None
    if this.name not in row.monitors and not read.any(watched_chassis, chassis):
        return None
    address = way_to(row, read(Chassis, this.name))
    if address is None:
        return None
    name = port_name(chassis)
    interface = wanted_row(
        "Interface",
        name,
        columns={"type": ["geneve"]},
        maps={
            "options": {**port_options(), "remote_ip": str(address)},
            "bfd": {"enable": "true", "min_rx": str(INTERVAL), "min_tx": str(INTERVAL)},
        },
        keys={"external_ids": {PEER: chassis}},
    )
    port = wanted_row(
        "Port",
        name,
        columns={"interfaces": [Ref("Interface", name)]},
        parent=Parent(Ref("Bridge", this.bridge), "ports"),
        owner=this.bridge,
    )
    return Wanted(rows=(interface, port))


def port_name(chassis: str) -> str:
    """Return the name of the port towards a chassis, no longer than those of devices.

    >>> port_name("hv1")
    'tb-027c0c1d1de1'
    """
    return f"tb-{fingerprint(chassis):012x}"
