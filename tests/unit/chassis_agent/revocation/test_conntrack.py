"""Reading the list of connections."""

from __future__ import annotations

from ipaddress import ip_address

from hypothesis import given
from hypothesis import strategies as st

from chassis_agent.openflow.messages import CtTuple
from chassis_agent.revocation.conntrack import (
    TrackedConnection,
    connection_steps,
    parse_connections,
)
from incremental import run_steps

DUMP = """\
tcp,orig=(src=10.0.0.1,dst=10.0.0.2,sport=1000,dport=80),reply=(src=10.0.0.2,dst=10.0.0.1,\
sport=80,dport=1000),zone=7,mark=2,labels=0x3000000000000000000000000,protoinfo=(state=ESTABLISHED)
icmpv6,orig=(src=fd00::1,dst=fd00::2,id=5,type=128,code=0),reply=(src=fd00::2,dst=fd00::1,\
id=5,type=129,code=0),zone=7
47,orig=(src=10.0.0.1,dst=10.0.0.2,sport=0,dport=0),reply=(src=10.0.0.2,dst=10.0.0.1,\
sport=0,dport=0),zone=7,mark=3
something else entirely
udp,orig=(src=nonsense,dst=10.0.0.2,sport=1,dport=2),reply=(),zone=7
"""


def test_connections_are_read_with_mark_and_label() -> None:
    one, two = ip_address("10.0.0.1"), ip_address("10.0.0.2")
    assert list(parse_connections(DUMP)) == [
        TrackedConnection(CtTuple(one, two, 6, 1000, 80), 2, 3 << 96),
        TrackedConnection(
            CtTuple(ip_address("fd00::1"), ip_address("fd00::2"), 58, 128, 0, 5), 0, 0
        ),
        TrackedConnection(CtTuple(one, two, 47), 3, 0),
    ]


TRANSLATED = """\
tcp,orig=(src=10.0.0.1,dst=10.0.0.100,sport=1000,dport=80),reply=(src=10.0.0.2,dst=10.0.0.1,\
sport=8080,dport=1000),zone=7,mark=2
udp,orig=(src=10.0.0.1,dst=10.0.0.2,sport=1000,dport=53),reply=(src=10.0.0.2,dst=192.0.2.1,\
sport=53,dport=1001),zone=7
icmp,orig=(src=10.0.0.1,dst=10.0.0.100,id=5,type=8,code=0),reply=(src=10.0.0.2,dst=10.0.0.1,\
id=5,type=0,code=0),zone=7
"""


def test_what_requests_are_translated_to_is_read_from_the_reply() -> None:
    client, vip, outside = map(ip_address, ("10.0.0.1", "10.0.0.100", "192.0.2.1"))
    backend = ip_address("10.0.0.2")
    web, dns, ping = parse_connections(TRANSLATED)
    assert web.original == CtTuple(client, vip, 6, 1000, 80)
    assert (web.translated, web.has_new_source) == (CtTuple(client, backend, 6, 1000, 8080), False)
    assert (dns.translated, dns.has_new_source) == (CtTuple(outside, backend, 17, 1001, 53), True)
    assert (ping.translated, ping.has_new_source) == (CtTuple(client, backend, 1, 8, 0, 5), False)


@given(st.text())
def test_any_text_is_survived(text: str) -> None:
    list(parse_connections(f"tcp,orig=({text}),zone=1\n{text}"))


def test_a_long_dump_is_read_with_pauses_and_nothing_is_left_out_at_them() -> None:
    text = DUMP * 1000
    steps = connection_steps(text, lambda each: each.original.protocol == 6)
    pauses = 0
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found = end.value
            break
        pauses += 1
    assert found == [each for each in parse_connections(text) if each.original.protocol == 6]
    assert pauses > 100


@given(st.text(alphabet="ab\n", max_size=20))
def test_dumps_of_any_form_come_to_an_end(text: str) -> None:
    assert run_steps(connection_steps(text)) == []
