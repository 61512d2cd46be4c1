"""What is set on a port, and keeps packets out: port security, ``enabled``, DHCP."""

from ipaddress import IPv4Address, IPv6Address

from diagnosis.explain import packets
from diagnosis.explain.dhcp import fitting_options
from diagnosis.explain.remedies.case import Case, Remedy
from diagnosis.explain.remedies.frames import as_its_own
from diagnosis.trace import discovery
from diagnosis.trace.words import Address
from logical_flow.evaluate import Packet
from logical_flow.packet import ETH_ARP, format_value


def secure(case: Case) -> Remedy:
    """Let the port use the address that the packet has, unless another's tag was meant."""
    sends = case.obstacle.detail == "inport" and case.question.packet is not None
    meant = as_its_own(case) if sends and not case.is_reply else None
    if meant is not None:
        return meant
    port = case.view()
    mac, address = _claimed(case.packet, case.obstacle.detail == "inport")
    elements: list[str] = list(port["port_security"])
    for number, element in enumerate(elements):
        if element.split()[0] == mac and address is not None:
            elements[number] = f"{element} {address}"
            break
    else:
        elements.append(mac if address is None else f"{mac} {address}")
    what = f"{mac} {address}" if address else mac
    text = f"add {what} to port_security of logical switch port {port['name']}"
    return case.update(text, {"port_security": elements})


def _claimed(packet: Packet, sends: bool) -> tuple[str, Address | None]:
    """The MAC and IP address that port security has to allow for the packet."""
    end = "src" if sends else "dst"
    mac = format_value(f"eth.{end}", packet.get(f"eth.{end}", 0))
    if packet.get("eth.type") == ETH_ARP:
        sender = packet.get("arp.spa", 0)
        return mac, IPv4Address(sender) if isinstance(sender, int) else None
    ends = packets.addresses(packet)
    if ends is None:
        return mac, None
    target = packet.get("nd.target")
    if discovery.answered_mac(packet) is not None and isinstance(target, int):
        return mac, IPv6Address(target)
    return mac, ends[0] if sends else ends[1]


def enable(case: Case) -> Remedy:
    """Switch the object on again."""
    return case.update(f"enable {case.cause_text}", {"enabled": True})


def serve(case: Case) -> Remedy | None:
    """Switch DHCP on, or refer to the only options that are for an address of the port."""
    view = case.view()
    if not view["dhcp"]:
        return case.update(f"let DHCP clients of {case.cause_text} be answered", {"dhcp": True})
    version = int(case.obstacle.detail)
    field = f"dhcpv{version}_options"
    port = case.scene.ports[str(case.packet["inport"])]
    fitting = fitting_options(case.scene, port, version)
    if len(fitting) != 1 or view[field] is not None:
        return None
    name = fitting[0].name
    return case.update(f"give {case.cause_text} the DHCP options {name}", {field: name})
