"""Reading the list of connections."""

from __future__ import annotations

from ipaddress import ip_address

from hypothesis import given
from hypothesis import strategies as st

from chassis_agent.openflow.messages import CtTuple
from chassis_agent.revocation.conntrack import TrackedConnection, parse_connections

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


@given(st.text())
def test_any_text_is_survived(text: str) -> None:
    list(parse_connections(f"tcp,orig=({text}),zone=1\n{text}"))
