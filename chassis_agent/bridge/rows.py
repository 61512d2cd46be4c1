"""What the agent wants of the Open vSwitch database for the integration bridge itself.

``fail_mode=secure``: without a controller the switch keeps its flows and doesn't start to
learn. ``disable-in-band`` keeps hidden flows out. All of these rows stay when the agent ends,
so they bear no owner's mark.
"""

from chassis_agent.bridge.tunnels import PORT_NAME, port_options
from chassis_agent.ovsdb.rows import Parent, Ref, WantedRow, wanted_row


def bridge_rows(bridge: str, datapath_type: str) -> list[WantedRow]:
    """Return the rows of the bridge, of its own interface and of the tunnel port.

    An empty `datapath_type` leaves open which it is.
    """
    ports = Parent(Ref("Bridge", bridge), "ports")
    settings = {"fail_mode": ["secure"]}
    if datapath_type:
        settings["datapath_type"] = [datapath_type]
    return [
        wanted_row(
            "Bridge",
            bridge,
            columns=settings,
            keys={"other_config": {"disable-in-band": "true"}},
        ),
        wanted_row("Interface", bridge, columns={"type": ["internal"]}),
        wanted_row(
            "Port", bridge, columns={"interfaces": [Ref("Interface", bridge)]}, parent=ports
        ),
        wanted_row(
            "Interface", PORT_NAME, columns={"type": ["geneve"]}, maps={"options": port_options()}
        ),
        wanted_row(
            "Port", PORT_NAME, columns={"interfaces": [Ref("Interface", PORT_NAME)]}, parent=ports
        ),
    ]
