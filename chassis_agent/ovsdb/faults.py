"""What of the integration bridge is not as the agent makes it. Pure."""

from collections.abc import Mapping

from chassis_agent.ovsdb.view import Bridge


def bridge_faults(
    bridge: Bridge | None, datapath_type: str, port_name: str, port_options: Mapping[str, str]
) -> list[str]:
    """Each fault in words; :mod:`chassis_agent.ovsdb.edits` has what mends them.

    `datapath_type` is empty where any will do; the port is the tunnel port.

    >>> bridge_faults(Bridge("br-int", "system", "secure"), "system", "gnv", {})
    ['in-band control is not disabled', 'the tunnel port gnv is missing']
    """
    if bridge is None:
        return ["the bridge is missing"]
    faults = []
    if bridge.fail_mode != "secure":
        faults.append(f"fail_mode is {bridge.fail_mode or 'not set'}")
    if datapath_type and bridge.datapath_type != datapath_type:
        faults.append(f"datapath_type is {bridge.datapath_type or 'not set'}")
    if bridge.other_config.get("disable-in-band") != "true":
        faults.append("in-band control is not disabled")
    port = bridge.interfaces.get(port_name)
    if port is None:
        faults.append(f"the tunnel port {port_name} is missing")
    elif port.type != "geneve" or port.options != port_options:
        faults.append(f"the tunnel port {port_name} has other options")
    return faults
