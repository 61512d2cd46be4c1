"""How the buckets of load balancers are numbered, and what they are chosen by."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis_agent.compile.encoders.balancing import bucket_numbers
from chassis_agent.compile.encoders.encoding import Encoding
from chassis_agent.compile.encoders.hashing import encoded_hash_fields, hashed_fields
from chassis_agent.compile.errors import BadArgumentsError
from chassis_agent.openflow import messages
from chassis_agent.openflow.messages import Bucket, GroupCommand, GroupType, SwitchGroup
from logical_flow.action.hashing import HASH_FIELDS
from logical_flow.holes import Hole, HoleType
from tests.unit.chassis_agent.openflow.test_messages import OUTPUT, record, without_xid

BACKENDS = st.builds("10.0.{}.{}:80".format, st.integers(0, 255), st.integers(1, 254))


@given(st.lists(BACKENDS, min_size=2, max_size=40, unique=True))
def test_who_stays_keeps_its_number(backends: list[str]) -> None:
    numbers = bucket_numbers(backends)
    assert len(set(numbers.values())) == len(backends)
    fewer = bucket_numbers(backends[1:])
    assert fewer == {backend: numbers[backend] for backend in backends[1:]}


@pytest.mark.parametrize(
    ("names", "fields"),
    [
        ("ip_src", "ip_src,ipv6_src"),
        (
            ",".join(HASH_FIELDS),
            (
                "eth_src,eth_dst,ip_src,ip_dst,ipv6_src,ipv6_dst,ip_proto,"
                "tcp_src,tcp_dst,udp_src,udp_dst,sctp_src,sctp_dst"
            ),
        ),
    ],
)
def test_fields_are_as_ovs_ofctl_sends_them(names: str, fields: str, tmp_path: Path) -> None:
    group = SwitchGroup(
        1,
        GroupType.SELECT,
        [Bucket(7, OUTPUT, weight=1)],
        selection_method="hash",
        selection_fields=encoded_hash_fields(names.split(",")),
    )
    text = (
        f"group_id=1,type=select,selection_method=hash,fields({fields}),"
        "bucket=bucket_id:7,weight:1,actions=output:5"
    )
    (theirs, *_) = record(["add-group", "SWITCH", text], tmp_path)
    assert without_xid(messages.group_mod(GroupCommand.ADD, group)) == without_xid(theirs)


def test_fields_are_read_from_an_argument() -> None:
    named = hashed_fields(
        Hole("by", HoleType.BYTES), Encoding("lr_in", "lr_in_ip_routing", {"by": 1}, {})
    )
    assert named((7, b"tp_src,ip_src")) == encoded_hash_fields(["ip_src", "tp_src"])
    for bad in (b"ip_src,vlan", b"", "ip_src", b"\xff"):
        with pytest.raises(BadArgumentsError):
            named((7, bad))
