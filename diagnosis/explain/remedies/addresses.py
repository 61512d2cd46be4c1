"""Addresses that no port is declared to have, and networks that nothing leads to."""

from diagnosis.explain.remedies.case import Case, Remedy, reference
from diagnosis.explain.remedies.frames import to_next_hop
from logical_flow.packet import format_value
from northbound.ipam import made_up_mac
from northbound.models import LogicalSwitchPort
from northbound.services import SERVICES


def give_address(case: Case) -> Remedy | None:
    """Give the address to who uses it, or to a new port."""
    cause = case.obstacle.cause
    if cause is None:
        return None
    if cause.kind == "logical_switch_port":
        return _of_subnet(case)
    if not case.obstacle.detail:
        return to_next_hop(case)
    ends = case.question.ends
    address = case.obstacle.detail
    if ends is not None and str(ends.source) == address:
        return _claim(case, address)
    return _new_port(case, address)


def _of_subnet(case: Case) -> Remedy:
    """An address of the switch's subnet for a port that has none."""
    port = case.view()
    switch = SERVICES["logical_switch"]
    ref = reference(port["logical_switch"], port)
    view = switch.view(case.scene.reader, switch.get(case.scene.reader, ref))
    text = f"give logical switch port {port['name']} an IP address"
    if not (view["subnet4"] or view["subnet6"]):
        return Remedy(f"{text}: its switch has no subnet to take one from")
    kept = [element for element in port["addresses"] if ":" not in element]
    macs = [element.split()[0] for element in port["addresses"] if ":" in element]
    elements = [*(f"{mac} dynamic" for mac in macs[:1]), *kept] if macs else ["dynamic", *kept]
    return case.update(f"{text} of its switch's subnet", {"addresses": elements})


def _claim(case: Case, address: str) -> Remedy | None:
    """The address for the port that sends from it, so that replies find it."""
    entry, ends = case.question.entry, case.question.ends
    row = case.scene.reader.by_id(LogicalSwitchPort, entry.id)
    if row is None or ends is None:
        return None
    mac = format_value("eth.src", ends.sender.mac)
    elements = list(row.addresses)
    for number, element in enumerate(elements):
        if element.split()[0] == mac:
            elements[number] = f"{element} {address}"
            break
    else:
        elements.append(f"{mac} {address}")
    values = {"addresses": elements}
    operation = {
        "action": "update",
        "kind": "logical_switch_port",
        "ref": entry.name,
        "values": values,
    }
    text = f"add {address} to the addresses of logical switch port {entry.name}, which uses it"
    return Remedy(text, (operation,))


def _new_port(case: Case, address: str) -> Remedy:
    """A port for the workload that has the address."""
    switch = case.view()
    ref = reference(switch["name"], switch)
    name = f"{switch['name']}-{address.replace(':', '-').replace('.', '-')}"
    values = {
        "name": name,
        "logical_switch": ref,
        "addresses": [f"{made_up_mac(name)} {address}"],
    }
    text = f"declare the workload that has {address} as a port of logical switch {ref}"
    operation = {"action": "create", "kind": "logical_switch_port", "values": values}
    return Remedy(text, (operation,))


def connect(case: Case) -> Remedy | None:
    """Tell which switch a router is missing at."""
    cause = case.obstacle.cause
    if cause is None or cause.kind != "logical_switch":
        return None
    return Remedy(f"connect {cause.text} to a router that leads to {case.obstacle.detail}")
