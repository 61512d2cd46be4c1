"""Messages are, byte for byte, what os-ken and ``ovs-ofctl`` make of the same request."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from os_ken.ofproto import ofproto_v1_5 as ofp
from os_ken.ofproto import ofproto_v1_5_parser as parser

from chassis_agent.openflow import actions, bundle, messages, multipart, oxm, wire
from chassis_agent.openflow.errors import DecodingError, EncodingError
from chassis_agent.openflow.messages import (
    Bucket,
    CtTuple,
    FlowCommand,
    GroupCommand,
    GroupType,
    MeterCommand,
    SwitchGroup,
    TlvMapping,
)
from chassis_agent.openflow.oxm import FIELDS, Term
from tests.unit.chassis_agent.openflow.ofctl import record


class Datapath:
    """What os-ken's messages want to know of a switch."""

    ofproto = ofp
    ofproto_parser = parser
    id = 1


DATAPATH = Datapath()
MATCH = oxm.match([Term(FIELDS["in_port"], 4), Term(FIELDS["ip_proto"], 6)])
OUTPUT = actions.output(5)
KEN_MATCH = parser.OFPMatch(in_port=4, ip_proto=6)
KEN_OUTPUT = parser.OFPActionOutput(5, 0)
KEN_APPLY = parser.OFPInstructionActions(ofp.OFPIT_APPLY_ACTIONS, [KEN_OUTPUT])
FRAME = bytes(range(60))


def by_os_ken(message: Any) -> bytes:
    message.xid = 0
    message.serialize()
    return bytes(message.buf)


def ken_flow_mod(command: int, instructions: Sequence[Any] = (), **fields: int) -> Any:
    return parser.OFPFlowMod(
        DATAPATH,
        command=command,
        match=KEN_MATCH,
        instructions=list(instructions),
        out_port=ofp.OFPP_ANY,
        out_group=ofp.OFPG_ANY,
        **fields,
    )


def ken_bundle(step: int) -> Any:
    flags = ofp.OFPBF_ATOMIC | ofp.OFPBF_ORDERED
    return parser.OFPBundleCtrlMsg(DATAPATH, 9, step, flags, [])


MESSAGES = {
    "add flow": (
        messages.add_flow(5, 7, MATCH, actions.apply_actions(OUTPUT), 9),
        ken_flow_mod(ofp.OFPFC_ADD, [KEN_APPLY], table_id=5, priority=7, cookie=9),
    ),
    "delete flow": (
        messages.delete_flow(5, 7, MATCH),
        ken_flow_mod(ofp.OFPFC_DELETE_STRICT, table_id=5, priority=7),
    ),
    "delete by cookie": (
        messages.flow_mod(
            FlowCommand.DELETE, table=255, priority=0, match=MATCH, cookie=8, cookie_mask=0xFF
        ),
        ken_flow_mod(ofp.OFPFC_DELETE, table_id=255, priority=0, cookie=8, cookie_mask=0xFF),
    ),
    "group": (
        messages.group_mod(
            GroupCommand.ADD,
            SwitchGroup(3, GroupType.SELECT, [Bucket(1, OUTPUT, weight=5, watch_port=2)]),
        ),
        parser.OFPGroupMod(
            DATAPATH,
            ofp.OFPGC_ADD,
            ofp.OFPGT_SELECT,
            3,
            0xFFFFFFFF,
            [
                parser.OFPBucket(
                    1,
                    [KEN_OUTPUT],
                    [
                        parser.OFPGroupBucketPropWeight(type_=0, length=8, weight=5),
                        parser.OFPGroupBucketPropWatch(type_=1, length=8, watch=2),
                    ],
                )
            ],
        ),
    ),
    "meter": (
        messages.meter_mod(MeterCommand.ADD, 3, rate=100, burst=50),
        parser.OFPMeterMod(
            DATAPATH,
            ofp.OFPMC_ADD,
            ofp.OFPMF_PKTPS | ofp.OFPMF_BURST | ofp.OFPMF_STATS,
            3,
            [parser.OFPMeterBandDrop(100, 50)],
        ),
    ),
    "packet-out": (
        messages.packet_out(FRAME, OUTPUT, MATCH),
        parser.OFPPacketOut(
            DATAPATH, ofp.OFP_NO_BUFFER, match=KEN_MATCH, actions=[KEN_OUTPUT], data=FRAME
        ),
    ),
    "set config": (messages.set_config(), parser.OFPSetConfig(DATAPATH, 0, 0xFFFF)),
    "barrier": (messages.barrier_request(), parser.OFPBarrierRequest(DATAPATH)),
    "echo": (messages.echo_request(), parser.OFPEchoRequest(DATAPATH)),
    "features": (messages.features_request(), parser.OFPFeaturesRequest(DATAPATH)),
    "open bundle": (
        bundle.control(9, bundle.BundleStep.OPEN),
        ken_bundle(ofp.OFPBCT_OPEN_REQUEST),
    ),
    "commit bundle": (
        bundle.control(9, bundle.BundleStep.COMMIT),
        ken_bundle(ofp.OFPBCT_COMMIT_REQUEST),
    ),
    "discard bundle": (
        bundle.control(9, bundle.BundleStep.DISCARD),
        ken_bundle(ofp.OFPBCT_DISCARD_REQUEST),
    ),
    "groups": (
        multipart.groups_request(),
        parser.OFPGroupDescStatsRequest(DATAPATH, 0, ofp.OFPG_ALL),
    ),
    "ports": (
        multipart.ports_request(),
        parser.OFPPortDescStatsRequest(DATAPATH, 0, ofp.OFPP_ANY),
    ),
    "meters": (
        multipart.meters_request(),
        parser.OFPMeterDescStatsRequest(DATAPATH, 0, ofp.OFPM_ALL),
    ),
    "flows": (
        multipart.flows_request(),
        parser.OFPFlowDescStatsRequest(DATAPATH, 0, ofp.OFPTT_ALL),
    ),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_messages_are_what_os_ken_makes(name: str) -> None:
    ours, theirs = MESSAGES[name]
    assert ours.hex(" ", 4) == by_os_ken(theirs).hex(" ", 4)


def test_bundled_messages_are_what_os_ken_makes() -> None:
    inner = parser.OFPBarrierRequest(DATAPATH)
    inner.xid = 7
    flags = ofp.OFPBF_ATOMIC | ofp.OFPBF_ORDERED
    outer = parser.OFPBundleAddMsg(DATAPATH, 9, flags, inner, [])
    outer.xid = 7
    outer.serialize()
    assert bundle.additions([messages.barrier_request()], 9, 7) == bytes(outer.buf)


CT_FLUSHES = {
    "ct_nw_src=1.1.1.1,ct_nw_dst=2.2.2.2,ct_nw_proto=6,ct_tp_src=5,ct_tp_dst=80": CtTuple(
        ip_address("1.1.1.1"), ip_address("2.2.2.2"), 6, 5, 80
    ),
    "ct_ipv6_src=fe80::1,ct_ipv6_dst=fe80::2,ct_nw_proto=17,ct_tp_src=5,ct_tp_dst=53": CtTuple(
        ip_address("fe80::1"), ip_address("fe80::2"), 17, 5, 53
    ),
}


@pytest.mark.parametrize("text", CT_FLUSHES)
def test_forgetting_a_connection_is_what_ovs_ofctl_sends(text: str, tmp_path: Path) -> None:
    (theirs,) = record(["ct-flush", "SWITCH", "zone=7", text], tmp_path)
    assert without_xid(messages.ct_flush(7, CT_FLUSHES[text])) == without_xid(theirs)


def test_forgetting_a_ping_is_what_ovs_ofctl_sends_save_an_empty_reply(tmp_path: Path) -> None:
    text = "ct_nw_src=1.1.1.1,ct_nw_dst=2.2.2.2,ct_nw_proto=1,icmp_type=8,icmp_code=0,icmp_id=77"
    (theirs,) = record(["ct-flush", "SWITCH", "zone=7", text], tmp_path)
    ping = CtTuple(ip_address("1.1.1.1"), ip_address("2.2.2.2"), 1, 8, 0, 77)
    ours = messages.ct_flush(7, ping)
    header, zone = 8, 8
    assert ours[header:-zone] == theirs[header : len(ours) - zone]
    assert ours[-zone:] == theirs[-zone:]


@pytest.mark.parametrize(
    ("arguments", "ours"),
    [
        (
            ["add-tlv-map", "SWITCH", "{class=0x0102,type=0x80,len=4}->tun_metadata0"],
            messages.tlv_table_add(TlvMapping(0x0102, 0x80, 4, 0)),
        ),
        (
            ["packet-out", "SWITCH", f"in_port=4,packet={FRAME.hex()},actions=output:5"],
            messages.packet_out(FRAME, OUTPUT, oxm.match([Term(FIELDS["in_port"], 4)])),
        ),
        (
            [
                *("add-group", "SWITCH"),
                (
                    "group_id=1,type=select,selection_method=dp_hash,selection_method_param=7,"
                    "bucket=bucket_id:0,weight:5,actions=output:5"
                ),
            ],
            messages.group_mod(
                GroupCommand.ADD,
                SwitchGroup(
                    1,
                    GroupType.SELECT,
                    [Bucket(0, OUTPUT, weight=5)],
                    selection_method="dp_hash",
                    selection_parameter=7,
                ),
            ),
        ),
    ],
)
def test_messages_are_what_ovs_ofctl_sends(
    arguments: list[str], ours: bytes, tmp_path: Path
) -> None:
    theirs = record(arguments, tmp_path)
    assert without_xid(ours) == without_xid(theirs[0])


def without_xid(message: bytes) -> str:
    return wire.with_xid(message, 0).hex(" ", 4)


def test_async_config_asks_for_packet_ins_only() -> None:
    assert messages.set_async()[8:24].hex() == "000100080000003f0003000800000000"


def test_a_flow_that_does_not_fit_a_message_is_refused() -> None:
    with pytest.raises(EncodingError, match="does not fit a message"):
        messages.add_flow(0, 0, MATCH, bytes(65_500), 0)


@pytest.mark.parametrize(
    ("version", "body", "offered"),
    [
        (6, "", True),
        (4, "", False),
        (6, "0001000800000050", True),
        (4, "0001000800000050", True),
        (6, "0001000800000010", False),
        (6, "0077000811223344", True),
    ],
)
def test_what_a_hello_offers(version: int, body: str, offered: bool) -> None:
    assert wire.offers_version(version, bytes.fromhex(body)) is offered


def test_refusals_have_names() -> None:
    refusal = wire.refusal(bytes.fromhex("00020011") + b"request")
    assert (refusal.name, refusal.request) == ("OFPBAC_BAD_METER", b"request")
    assert wire.refusal(bytes.fromhex("00630001")).name == "error 99/1"
    assert "12" in wire.refusal(bytes.fromhex("ffff000c00002320")).name


@given(st.binary(max_size=40))
def test_hello_and_errors_survive_any_bytes(body: bytes) -> None:
    for read in (lambda: wire.offers_version(6, body), lambda: wire.refusal(body)):
        try:
            read()
        except DecodingError:
            continue
