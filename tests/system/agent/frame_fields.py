"""Frames as the language sees them: a mapping from fields to values."""

from chassis_agent.punt import codec
from logical_flow.endpoints import is_error, quotation
from logical_flow.evaluate import Packet
from logical_flow.fragments import as_switch_sees

_ARP, _IP4, _IP6 = 0x806, 0x800, 0x86DD
_ICMP4, _TCP, _UDP, _ICMP6 = 1, 6, 17, 58
_TRANSPORT = {_TCP: "tcp", _UDP: "udp", 132: "sctp"}
_VLAN_PRESENT = 0x1000
_FRAGMENT_HEADER = 44


def fields_of(frame: bytes) -> Packet:
    """All fields of a frame that it has; absent ones are absent."""
    ethernet = codec.read_ethernet(frame)
    found: dict[str, int | str | None] = {
        "eth.dst": int.from_bytes(ethernet.dst),
        "eth.src": int.from_bytes(ethernet.src),
        "eth.type": ethernet.ethertype,
    }
    if ethernet.vlans:
        found["vlan.tci"] = int.from_bytes(ethernet.vlans[2:4]) | _VLAN_PRESENT
    if ethernet.ethertype == _ARP:
        arp = codec.read_arp(ethernet.payload)
        found |= {
            "arp.op": arp.operation,
            "arp.sha": int.from_bytes(arp.sha),
            "arp.spa": int.from_bytes(arp.spa),
            "arp.tha": int.from_bytes(arp.tha),
            "arp.tpa": int.from_bytes(arp.tpa),
        }
    elif ethernet.ethertype in (_IP4, _IP6):
        found |= _ip_fields(codec.read_ip(ethernet), ethernet.payload)
    return as_switch_sees(found)


def _ip_fields(ip: codec.Ip, ip_packet: bytes) -> dict[str, int | str | None]:
    found: dict[str, int | str | None] = {
        f"ip{ip.version}.src": int.from_bytes(ip.src),
        f"ip{ip.version}.dst": int.from_bytes(ip.dst),
        "ip.proto": ip.protocol,
        "ip.ttl": ip.ttl,
    }
    if fragment := _fragment(ip_packet):
        return found | {"ip.frag": fragment}
    if ip.protocol in _TRANSPORT:
        name = _TRANSPORT[ip.protocol]
        found[f"{name}.src"] = int.from_bytes(ip.payload[0:2])
        found[f"{name}.dst"] = int.from_bytes(ip.payload[2:4])
    if ip.protocol == _TCP:
        found["tcp.flags"] = ip.payload[13]
    if ip.protocol in (_ICMP4, _ICMP6):
        icmp = codec.read_icmp(ip)
        name = "icmp4" if ip.protocol == _ICMP4 else "icmp6"
        found |= {f"{name}.type": icmp.kind, f"{name}.code": icmp.code}
        if ip.protocol == _ICMP6 and icmp.kind in (codec.ND_SOLICITATION, codec.ND_ADVERTISEMENT):
            neighbour = codec.read_neighbour(icmp)
            link = "nd.sll" if icmp.kind == codec.ND_SOLICITATION else "nd.tll"
            found["nd.target"] = int.from_bytes(neighbour.target)
            found[link] = int.from_bytes(neighbour.link_address or bytes(6))
        if is_error(found | {"eth.type": _IP4 if ip.version == 4 else _IP6}):
            found |= quotation(_quoted(icmp.rest[4:]))
    return found


def _quoted(packet: bytes) -> dict[str, int | str | None]:
    """The fields of the packet that an ICMP error quotes, of which it may have the beginning."""
    if packet[0] >> 4 == 4:
        size, protocol, version = 4 * (packet[0] & 0xF), packet[9], 4
        source, destination = packet[12:16], packet[16:20]
    else:
        size, protocol, version = 40, packet[6], 6
        source, destination = packet[8:24], packet[24:40]
    found: dict[str, int | str | None] = {
        "eth.type": _IP4 if version == 4 else _IP6,
        "ip.proto": protocol,
        f"ip{version}.src": int.from_bytes(source),
        f"ip{version}.dst": int.from_bytes(destination),
        "ip.frag": _fragment(packet),
    }
    if protocol in _TRANSPORT:
        name = _TRANSPORT[protocol]
        found[f"{name}.src"] = int.from_bytes(packet[size : size + 2])
        found[f"{name}.dst"] = int.from_bytes(packet[size + 2 : size + 4])
    return as_switch_sees(found)


def _fragment(ip_packet: bytes) -> int:
    """``ip.frag``: 1 of a first fragment, 3 of a later one, 0 of what is none."""
    if ip_packet[0] >> 4 == 4:
        more, offset = ip_packet[6] & 0x20, int.from_bytes(ip_packet[6:8]) & 0x1FFF
    elif ip_packet[6] == _FRAGMENT_HEADER:
        more, offset = ip_packet[43] & 1, int.from_bytes(ip_packet[42:44]) >> 3
    else:
        return 0
    return 3 if offset else 1 if more else 0
