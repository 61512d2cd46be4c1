"""The one Geneve port of the integration bridge, whose destination each flow sets.

What goes through it is in :mod:`chassis_agent.physical.tunnels`; this is the port.
"""

from collections.abc import Mapping
from typing import Final

from chassis_agent.openflow.messages import TlvMapping
from chassis_agent.ovsdb.view import Bridge
from chassis_agent.physical.tunnels import OPTION_CLASS, OPTION_LENGTH, OPTION_TYPE

PORT_NAME: Final = "treadle-gnv"

OPTION: Final = TlvMapping(OPTION_CLASS, OPTION_TYPE, OPTION_LENGTH, 0)
"""The Geneve option that `tun_metadata0` stands for."""


def port_options() -> Mapping[str, str]:
    """The options of the port's interface; checksums let receivers offload more."""
    return {"remote_ip": "flow", "key": "flow", "csum": "true"}


def tunnel_ofport(bridge: Bridge) -> int:
    """The OpenFlow number of the port, 0 while it has none."""
    interface = bridge.interfaces.get(PORT_NAME)
    if interface is None or not interface.is_plugged:
        return 0
    return interface.ofport or 0
