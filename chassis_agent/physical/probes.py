"""Probes of tunnels: one switch sends them, the other one sends them back.

A probe is an Ethernet frame in a Geneve packet whose VNI is 0, which is no datapath's key.
It comes in like any packet from a known chassis, so those of strangers are dropped before.
A switch that gets one that *asks* answers it, without its agent, through the tunnel that
it came from, and writes the *fingerprint* of its chassis' name into the source address: an
address that has meanwhile gone to another host is told from the right one. A switch that
gets an answer hands it to its agent. Both are metered, and no packet grows on the way.
"""

import hashlib
from functools import lru_cache
from typing import Final

from chassis_agent import tables
from chassis_agent.desired.flow import Flow
from chassis_agent.openflow import actions as act
from chassis_agent.openflow.oxm import FIELDS, Term, whole
from chassis_agent.physical.registers import flag, flow, on
from chassis_agent.punt.meters import PROBE_ECHO_METER, PUNT_METERS
from chassis_agent.punt.opcodes import Opcode, userdata

PROBE_KEY: Final = 0
"""The VNI of probes."""
ETHERTYPE: Final = 0x88B5
"""IEEE 802's first ethertype for local experiments."""
ASKING: Final = 0x02_54_50_00_00_01
ANSWERING: Final = 0x02_54_50_00_00_02
"""The destination addresses of the two kinds of probes."""
PROBE_BYTES: Final = 64

_PRIORITY: Final = 110


@lru_cache(maxsize=4096)
def fingerprint(chassis: str) -> int:
    """What answers of a chassis come from: a unicast address made of its name.

    >>> f"{fingerprint('hv1'):012x}"
    '027c0c1d1de1'
    """
    return 0x02 << 40 | int.from_bytes(hashlib.sha256(chassis.encode()).digest()[:5])


def probe_flows(chassis: str, tunnel_ofport: int, *, cookie: int) -> list[Flow]:
    """What the switch of `chassis` does with probes that came through the tunnel port."""
    return [
        flow(
            tables.OUTPUT,
            _PRIORITY,
            _probes(ASKING),
            act.meter(PROBE_ECHO_METER.meter_id)
            + act.set_field(FIELDS["eth_dst"], ANSWERING)
            + act.set_field(FIELDS["eth_src"], fingerprint(chassis))
            + act.move(whole(FIELDS["tun_src"]), whole(FIELDS["tun_dst"]))
            + act.move(whole(FIELDS["tun_ipv6_src"]), whole(FIELDS["tun_ipv6_dst"]))
            + act.output(tunnel_ofport),
            cookie=cookie,
        ),
        flow(
            tables.OUTPUT,
            _PRIORITY,
            _probes(ANSWERING),
            act.controller(
                userdata(Opcode.PROBE),
                meter_id=PUNT_METERS[Opcode.PROBE].meter_id,
                max_len=PROBE_BYTES,
            ),
            cookie=cookie,
        ),
    ]


def _probes(kind: int) -> list[Term]:
    return [
        *on(PROBE_KEY),
        flag(tables.FROM_TUNNEL, is_set=True),
        Term(FIELDS["eth_type"], ETHERTYPE),
        Term(FIELDS["eth_dst"], kind),
    ]
