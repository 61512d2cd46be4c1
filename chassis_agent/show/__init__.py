"""OpenFlow flows as text for people: tables, registers, datapaths and ports by name.

    table=ls_in_l2_lkup priority=50 datapath=web,eth_dst=0a:00:00:00:00:01
    actions=set(outport=web-1),resubmit(output)

For `treadle agent`, golden files and failing tests. It reads the bytes that the
switch has, so it shows what is there and not what was meant.
"""

from chassis_agent.desired.flow import Flow
from chassis_agent.show.actions import format_instructions
from chassis_agent.show.matches import format_match
from chassis_agent.show.names import Names


def format_flow(flow: Flow, names: Names | None = None) -> str:
    """One line for one flow."""
    names = names or Names()
    match = format_match(flow.match, names)
    datapath = names.datapath_of(flow.match)
    parts = [
        f"table={names.table(flow.table, datapath)}",
        f"priority={flow.priority}",
        *([match] if match else []),
        f"actions={format_instructions(flow.instructions, names, datapath)}",
    ]
    return " ".join(parts)


__all__ = ["Names", "format_flow", "format_instructions", "format_match"]
