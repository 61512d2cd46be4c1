"""Templates, arguments and surroundings to compile and pack with."""

import random
from collections.abc import Callable, Iterable, Mapping
from typing import Literal

from chassis_agent.compile import PackContext, StageBook, StageKey, UnknownPortError
from chassis_agent.desired.identity import FIRST_GROUP, FIRST_METER, FIRST_QUEUE
from logical_flow.action import Member, encode_members, encode_watched
from logical_flow.holes import Argument, Hole, HoleType
from logical_flow.template import Pipeline, Template
from translator.pipeline import lr_in, lr_out, ls_in, ls_out

RATE_METER = FIRST_METER
RATE_QUEUE = FIRST_QUEUE
HIT_COUNTER = FIRST_GROUP + 1
"""The meter of whatever rate an action gives."""

ACL_MATCHES = (
    "1",
    "ip4",
    "ip",
    "ip4 && tcp.dst == 80",
    "ip4 && 1024 <= tcp.dst <= 5000",
    "ip6 && icmp6.type == {1, 2, 3, 4}",
    "icmp4.type == 3 && icmp4.code == 4",
    "ip4.src == 10.0.0.0/8 && ip4.dst != 10.0.0.0/8",
    "ip4.src == $addresses",
    "ip6.src == $addresses",
    "ip4.src == $addresses && tcp.dst == {80, 443}",
    "ip4.src == $addresses && ip4.dst == $addresses && udp",
    "ip4.src != $addresses",
    "inport == @ports && ip",
    "inport == @ports && ip4.src == $addresses && tcp.dst == {22, 80, 443}",
    'inport == "port-1" && outport == "port-2"',
    "(ip4.src == 10.0.0.1 && tcp.dst == 80) || (ip4.src == 10.0.0.2 && udp.dst == 53)",
    "eth.src == 0a:00:00:00:00:01",
    "eth.dst == 01:00:00:00:00:00/01:00:00:00:00:00",
    "eth.src == $macs",
    "eth.type == 0x88cc",
    "vlan.vid == 7 && vlan.pcp == 3",
    "!vlan.present && ip4",
    "arp.op == 1 && arp.spa == 10.0.0.0/24 && arp.sha == 0a:00:00:00:00:01",
    "rarp",
    "nd_ns && nd.target == fd00::/64 && nd.sll == 0a:00:00:00:00:01",
    "nd_na && nd.tll == 0a:00:00:00:00:01",
    "ip.ttl == 1 && ip.dscp == 46 && ip.ecn == 2",
    "ip.frag != 0",
    "ip.later_frag",
    "!ip.is_frag && ip4",
    "ip6.label == 5 && ip6.dst == fd00::1",
    "tcp.flags == 0x2/0x12",
    "sctp.src == 9 && sctp.dst == 10",
    "udp.src > 1024",
    "ct.trk && ct.est && !ct.rpl",
    "ct_mark == 3 && ct_label == 0x1234/0xffff",
    "ct_mark.blocked == 1",
    "pkt.mark == 5",
    "flags.loopback == 1",
    "reg0[3..5] == 5 && reg1 == 7 && xxreg1 == fd00::1",
    "xreg4 == 0x1000000000/0xf000000000",
)
"""One for each field, and for each way in which alternatives become flows."""

MEMBERS = {
    "$addresses": ["10.0.0.1", "10.1.0.0/16", "fd00::1", "fd01::/64"],
    "$macs": ["0a:00:00:00:00:01", "0a:00:00:00:00:02"],
    "@ports": ["port-1", "port-2", "port-elsewhere", "port-of-another-switch"],
}

SELECT_GROUP = 5000

PORTS = {"port-1": 1, "port-2": 2, "port-elsewhere": 3}

_CIDR4 = [(b"\x0a\x00\x00\x01", 32), (b"\x0a\x00\x00\x00", 8), (b"\x00\x00\x00\x00", 0)]
_CIDR6 = [(b"\xfd" + bytes(14) + b"\x01", 128), (b"\xfd" + bytes(15), 64), (bytes(16), 0)]


def every_template() -> list[Template]:
    """All templates of all pipelines, in the order of their declaration."""
    pipelines = (
        value
        for module in (ls_in, ls_out, lr_in, lr_out)
        for value in vars(module).values()
        if isinstance(value, Pipeline)
    )
    return [template for pipeline in pipelines for template in pipeline.templates]


def arguments_for(template: Template, chance: random.Random) -> tuple[Argument, ...]:
    """Random arguments for a template."""
    return tuple(
        1 + chance.randrange(100) if hole.name == "rate" else _argument(hole, chance)
        for hole in template.arguments
    )


def cidr(address: bytes, length: int) -> bytes:
    """The argument for a network: value and mask."""
    bits = 8 * len(address)
    mask = (1 << bits) - (1 << bits - length)
    return address + mask.to_bytes(len(address))


def surroundings(
    book: StageBook,
    *,
    kind: Literal["ls", "lr"] | str = "ls",
    datapath_key: int = 5,
    used: Iterable[StageKey] | None = None,
    ports: Mapping[str, int] = PORTS,
    local: Iterable[str] = ("port-1", "port-2"),
    members: Mapping[str, Iterable[str]] = MEMBERS,
    variables: Mapping[str, str] | None = None,
    conjunction_id: Callable[[bytes], int] = lambda _: 99,
) -> PackContext:
    """A datapath with a few ports; all stages are used unless said otherwise."""
    here = set(local)

    def port_key(name: str) -> int:
        if name not in ports:
            raise UnknownPortError(name)
        return ports[name]

    stages = [key for key in book.stages if key.pipeline.startswith(kind)]
    return PackContext(
        datapath_key=datapath_key,
        stages=book.used(kind, stages if used is None else used),
        book=book,
        port_key=port_key,
        port_key_here=ports.get,
        is_local=here.__contains__,
        is_resident=here.__contains__,
        is_alive=here.__contains__,
        variable=(variables or {}).get,
        members=lambda name: members.get(name, ()),
        is_known=lambda _name: True,
        conjunction_id=conjunction_id,
        select_group=lambda _description, _buckets, _fields: SELECT_GROUP,
        rate_meter=lambda _description, _rate, _burst: RATE_METER,
        packet_meter=lambda _description, _rate, _burst: RATE_METER,
        rate_queue=lambda _description, _port, _rate, _burst: RATE_QUEUE,
        hit_counter=lambda: HIT_COUNTER,
    )


def _argument(hole: Hole, chance: random.Random) -> Argument:
    match hole.type:
        case HoleType.MAC:
            return chance.randbytes(6)
        case HoleType.IP4:
            return chance.randbytes(4)
        case HoleType.IP6:
            return chance.randbytes(16)
        case HoleType.CIDR4:
            return cidr(*chance.choice(_CIDR4))
        case HoleType.CIDR6:
            return cidr(*chance.choice(_CIDR6))
        case HoleType.LPORT:
            return chance.choice(["port-1", "port-2"])
        case HoleType.MCGROUP:
            return "_MC_flood"
        case HoleType.INT if hole.name in ("first_port", "last_port"):
            # No range ends before it begins.
            return {"first_port": 1, "last_port": 3}[hole.name]
        case HoleType.INT:
            return chance.randrange(4)
        case HoleType.BYTES if hole.name == "hash_fields":
            return b"ip_src,tp_dst"
        case HoleType.BYTES:
            return b"allow-web"
        case HoleType.SET:
            return "$addresses"
        case HoleType.BACKENDS:
            return "&backends"
        case HoleType.EXPR:
            return chance.choice(ACL_MATCHES)
        case HoleType.WATCHED:
            return encode_watched([Member(1, 50), Member(2, 50)])
        case HoleType.WEIGHTS:
            return encode_members([Member(1, 50), Member(2, 50)])
        case HoleType.METER:
            return "audit 10 50"
    raise AssertionError(f"no arguments for {hole}")
