"""On packets with headers, the normal form agrees with evaluation, prerequisites and all."""

from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from logical_flow.copies import COPIES
from logical_flow.errors import TooComplexError
from logical_flow.evaluate import Value, matches
from logical_flow.expression import Expression
from logical_flow.match_parser import parse_match
from logical_flow.normalise import ConjunctiveMatch, MaskedTerm, PortTerm, Term, normalise

from .universe import expressions as shapes

TERMINALS = [
    "ip4",
    "ip6",
    "ip",
    "tcp",
    "icmp",
    "nd_ns",
    "arp",
    "arp.op == 1",
    "ip.proto == {6, 17}",
    "ip.ttl == {0, 1}",
    "ip4.src == 10.0.0.0/8",
    "ip4.dst != 10.0.0.1",
    "tcp.dst == {80, 443}",
    "tcp.dst != 80",
    "udp.dst >= 1024",
    "icmp4.type == 8",
    "ip.first_frag",
    "!vlan.present",
    "vlan.vid == 7",
    "eth.mcast",
    "ct.new && !ct.est",
    "!ct.trk",
    'inport == {"a", "b"}',
    "!icmp4",
    "!tcp",
    "!nd",
    "!arp",
    "ip.proto != {6, 17}",
    "icmp4.type != 8",
    "arp.op != 1",
    "ip.ttl != 64",
]


def with_copies(packet: Mapping[str, Value]) -> Mapping[str, Value]:
    """The packet behind a stage that copies all fields which can be copied."""
    copies = 0
    for name, where in COPIES.items():
        value = packet.get(name, 0)
        assert isinstance(value, int)
        copies |= value << where.field_low
    return {**packet, "xxreg1": copies}


PACKETS: list[Mapping[str, Value]] = [
    {**frame, **headers}
    for frame in (
        {"inport": "a", "eth.dst": 1},
        {"inport": "c", "eth.dst": 1 << 40, "vlan.tci": 0x1007, "ct_state": 0x21},
        {"inport": "b", "eth.dst": 2, "vlan.tci": 0x1008, "ct_state": 0x22},
    )
    for headers in (
        {},
        {"eth.type": 0x806, "arp.op": 1},
        {"eth.type": 0x806, "arp.op": 2},
        {"eth.type": 0x800, "ip.proto": 6, "ip.ttl": 64, "ip4.src": 10 << 24, "tcp.dst": 80},
        {"eth.type": 0x800, "ip.proto": 6, "ip.ttl": 1, "ip4.dst": 0x0A000001, "tcp.dst": 1},
        {"eth.type": 0x800, "ip.proto": 17, "ip.ttl": 0, "udp.dst": 2000, "ip.frag": 1},
        {"eth.type": 0x800, "ip.proto": 1, "ip.ttl": 9, "icmp4.type": 8, "ip.frag": 3},
        {"eth.type": 0x86DD, "ip.proto": 6, "ip.ttl": 64, "tcp.dst": 443},
        {"eth.type": 0x86DD, "ip.proto": 17, "ip.ttl": 64, "udp.dst": 80},
        {"eth.type": 0x86DD, "ip.proto": 58, "ip.ttl": 255, "icmp6.type": 135},
        {"eth.type": 0x86DD, "ip.proto": 58, "ip.ttl": 254, "icmp6.type": 135},
    )
]


def term_holds(term: Term, packet: Mapping[str, Value]) -> bool:
    match term:
        case MaskedTerm(field, value, mask):
            number = packet.get(field.name, 0)
            assert isinstance(number, int)
            return number & mask == value
        case PortTerm(field, name):
            return packet.get(field.name) == name
    raise AssertionError(f"{term} isn't expected here")


def fits(alternatives: tuple[ConjunctiveMatch, ...], packet: Mapping[str, Value]) -> bool:
    return any(
        all(term_holds(term, packet) for term in one.terms)
        and all(any(term_holds(term, packet) for term in d) for d in one.dimensions)
        for one in alternatives
    )


def check(expression: Expression) -> None:
    alternatives = normalise(expression)
    for packet in PACKETS:
        assert fits(alternatives, with_copies(packet)) is matches(expression, packet), (
            f"{expression}: {packet}"
        )


def test_all_shapes_of_two_agree() -> None:
    for expression in shapes(TERMINALS, 2):
        check(expression)


@settings(max_examples=200)
@given(st.lists(st.sampled_from(TERMINALS), min_size=3, max_size=5), st.data())
def test_larger_shapes_agree(texts: list[str], data: st.DataObject) -> None:
    text = f"({texts[0]})"
    for other in texts[1:]:
        text = f"({text} {data.draw(st.sampled_from(['&&', '||']))} ({other}))"
    try:
        check(parse_match(text, negations=True))
    except TooComplexError:
        raise AssertionError(f"{text} is not that complex") from None


def test_a_compiler_may_rely_on_definite_prerequisites() -> None:
    """No dimension holds a nominal integer field, and no two terms test the same bits."""
    for expression in shapes(TERMINALS, 2):
        for one in normalise(expression):
            nominal = [t for d in one.dimensions for t in d if isinstance(t, MaskedTerm)]
            assert all(t.field.level == "ordinal" for t in nominal), str(expression)
            assert all(
                t.mask == (1 << t.field.width) - 1
                for t in one.terms
                if isinstance(t, MaskedTerm) and t.field.level == "nominal"
            )
            seen: dict[str, int] = {}
            for term in one.terms:
                if isinstance(term, MaskedTerm):
                    assert not seen.get(term.field.name, 0) & term.mask
                    seen[term.field.name] = seen.get(term.field.name, 0) | term.mask
