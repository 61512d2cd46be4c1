"""Actions come out as ``ovs-ofctl`` writes them."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import pytest

from chassis_agent.openflow import actions
from chassis_agent.openflow.errors import EncodingError
from chassis_agent.openflow.oxm import FIELDS, Subfield, whole
from tests.unit.chassis_agent.openflow.ofctl import encode

REG0 = FIELDS["reg0"]
ZONE = Subfield(FIELDS["reg13"], 0, 16)

ACTIONS: dict[str, bytes] = {
    "actions=drop": b"",
    "actions=output:5": actions.output(5),
    "actions=in_port": actions.output(actions.IN_PORT),
    "actions=LOCAL": actions.output(actions.LOCAL),
    "actions=controller(userdata=00.00.00.01)": actions.controller(b"\0\0\0\1"),
    "actions=controller(userdata=00.00.00.01.02,pause,meter_id=3,max_len=200)": (
        actions.controller(b"\0\0\0\1\2", pause=True, meter_id=3, max_len=200)
    ),
    "actions=set_field:0x5->reg0": actions.set_field(REG0, 5),
    "actions=set_field:0x5/0xff->reg0": actions.set_field(REG0, 5, 0xFF),
    "actions=load:5->NXM_NX_REG10[0..3]": actions.load(Subfield(FIELDS["reg10"], 0, 4), 5),
    "actions=load:5->NXM_NX_REG10[]": actions.load(whole(FIELDS["reg10"]), 5),
    "actions=load:1->OXM_OF_PKT_REG0[3]": actions.load(Subfield(FIELDS["xreg0"], 3, 1), 1),
    "actions=set_field:00:00:00:00:00:05->eth_src": actions.set_field(FIELDS["eth_src"], 5),
    "actions=set_field:5->metadata": actions.set_field(FIELDS["metadata"], 5),
    "actions=load:0->NXM_OF_IN_PORT[]": actions.set_field(FIELDS["nxm_in_port"], 0),
    "actions=set_field:5->tun_id,set_field:1.1.1.1->tun_dst": (
        actions.set_field(FIELDS["tun_id"], 5)
        + actions.set_field(FIELDS["tun_dst"], int(IPv4Address("1.1.1.1")))
    ),
    "icmp6,icmp_type=135,actions=set_field:fe80::1->nd_target": (
        actions.set_field(FIELDS["nd_target"], int(IPv6Address("fe80::1")))
    ),
    "ip,actions=set_field:5->nw_ttl": actions.set_field(FIELDS["nw_ttl"], 5),
    "actions=move:NXM_NX_REG0[0..15]->NXM_NX_REG1[16..31]": (
        actions.move(Subfield(REG0, 0, 16), Subfield(FIELDS["reg1"], 16, 16))
    ),
    "actions=move:OXM_OF_ETH_SRC[]->OXM_OF_ETH_DST[]": (
        actions.move(whole(FIELDS["eth_src"]), whole(FIELDS["eth_dst"]))
    ),
    "actions=resubmit(,9)": actions.resubmit(9),
    "actions=resubmit(5,9)": actions.resubmit(9, in_port=5),
    "tcp,ct_state=+trk+new,actions=resubmit(,9,ct)": actions.resubmit(9, ct=True),
    "ip,actions=ct(table=5,zone=NXM_NX_REG13[0..15])": actions.ct(zone=ZONE, table=5),
    "ip,actions=ct(table=5,zone=7,nat)": actions.ct(zone=7, table=5, nested=actions.nat()),
    "ip,actions=ct(commit,zone=7,exec(set_field:1/1->ct_mark))": actions.ct(
        zone=7, commit=True, nested=actions.set_field(FIELDS["ct_mark"], 1, 1)
    ),
    "ip,actions=ct(commit,force,zone=NXM_NX_REG13[0..15],"
    "exec(move:NXM_NX_REG0[]->NXM_NX_CT_MARK[],load:1->NXM_NX_CT_LABEL[0]))": actions.ct(
        zone=ZONE,
        commit=True,
        force=True,
        nested=actions.move(whole(REG0), whole(FIELDS["ct_mark"]))
        + actions.load(Subfield(FIELDS["ct_label"], 0, 1), 1),
    ),
    "ip,actions=ct(commit,zone=7,nat(src=1.1.1.1-1.1.1.4:100-200,random))": actions.ct(
        zone=7,
        commit=True,
        nested=actions.nat(
            source=True,
            first=IPv4Address("1.1.1.1"),
            last=IPv4Address("1.1.1.4"),
            port_min=100,
            port_max=200,
            random=True,
        ),
    ),
    "ipv6,actions=ct(commit,table=4,zone=7,nat(dst=[fe80::1]-[fe80::5]:80,hash,persistent))": (
        actions.ct(
            zone=7,
            commit=True,
            table=4,
            nested=actions.nat(
                destination=True,
                first=IPv6Address("fe80::1"),
                last=IPv6Address("fe80::5"),
                port_min=80,
                hash_=True,
                persistent=True,
            ),
        )
    ),
    "actions=ct_clear": actions.ct_clear(),
    "actions=conjunction(5,1/2),conjunction(6,2/3)": (
        actions.conjunction(5, 1, 2) + actions.conjunction(6, 2, 3)
    ),
    "actions=group:5": actions.group(5),
    "actions=meter:5,output:1": actions.meter(5) + actions.output(1),
    "actions=set_queue:4,output:4": actions.set_queue(4) + actions.output(4),
    "ip,actions=dec_ttl": actions.dec_ttl(),
    "actions=push_vlan:0x8100,set_field:0x1005->vlan_vid": (
        actions.push_vlan() + actions.set_field(FIELDS["vlan_vid"], 0x1005)
    ),
    "vlan_vid=0x1000/0x1000,actions=pop_vlan": actions.pop_vlan(),
    "actions=clone(set_field:5->reg0,resubmit(,3))": (
        actions.clone(actions.set_field(REG0, 5) + actions.resubmit(3))
    ),
    "actions=note:01.02.03.00.00.00": actions.note(b"\1\2\3\0\0\0"),
    "actions=push:NXM_NX_REG0[],pop:NXM_NX_REG1[0..15]": (
        actions.push(whole(REG0)) + actions.pop(Subfield(FIELDS["reg1"], 0, 16))
    ),
    "actions=check_pkt_larger(1400)->NXM_NX_REG0[3]": (
        actions.check_pkt_larger(1400, Subfield(REG0, 3, 1))
    ),
}


def test_actions_are_what_ovs_ofctl_encodes(tmp_path: Path) -> None:
    texts = list(ACTIONS)
    ours = {text: actions.apply_actions(ACTIONS[text]).hex() for text in texts}
    theirs = [flow.instructions.hex() for flow in encode(texts, tmp_path)]
    assert ours == dict(zip(texts, theirs, strict=True))


def test_impossible_actions_are_refused() -> None:
    with pytest.raises(EncodingError, match="no clause 3 of 2"):
        actions.conjunction(1, 3, 2)
    with pytest.raises(EncodingError, match="differ in width"):
        actions.move(whole(REG0), whole(FIELDS["eth_src"]))
    with pytest.raises(EncodingError, match="does not fit"):
        actions.load(Subfield(REG0, 0, 4), 16)
    with pytest.raises(EncodingError, match="single bit"):
        actions.check_pkt_larger(1400, whole(REG0))
