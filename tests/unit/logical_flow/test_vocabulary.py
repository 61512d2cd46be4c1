"""The names that this release knows are those of the actions that it parses."""

import pytest

from logical_flow.action import PacketKind
from logical_flow.action_parser import parse_actions
from logical_flow.vocabulary import ACTION_NAMES, action_names

ONE_OF_EACH = """
    reg0 = 1; reg0 = reg1; reg0 <-> reg1; ip.ttl--; output; ct_clear; ct_commit;
    clone { ct_next; }; clone { drop; };
    get_arp(outport, reg0); get_nd(outport, xxreg0);
    put_arp(inport, reg0, eth.src); put_nd(inport, xxreg0, eth.src);
    reg9[0] = lookup_arp(inport, reg0, eth.src); reg9[0] = lookup_nd(inport, xxreg0, eth.src);
    outport = get_fdb(eth.dst); put_fdb(inport, eth.src); reg9[0] = lookup_fdb(inport, eth.src);
    log(severity=info); set_meter(1, 2);
"""
PACKETS = " ".join(f"{kind} {{ output; }};" for kind in PacketKind)


def test_every_action_has_a_name_and_every_name_an_action():
    assert action_names(parse_actions(f"{ONE_OF_EACH} {PACKETS} next;")) == ACTION_NAMES


@pytest.mark.parametrize("text", ["ct_commit { ct_mark = 1; };", "ct_commit { ct_mark = reg0; };"])
def test_names_of_nested_actions_count(text: str):
    assert action_names(parse_actions(text)) == {"ct_commit", "="}
