"""Reading what ``ofproto/trace`` of Open vSwitch 3.1 prints."""

from chassis_agent.inspection.trace_output import (
    NO_MATCH,
    Fork,
    TraceOutput,
    TraceStep,
    read_trace,
    translations,
)

TWO_TUNNELS = """\
Flow: tcp,in_port=2,vlan_tci=0x0000,dl_src=0a:00:00:00:00:01,dl_dst=ff:ff:ff:ff:ff:ff

bridge("br-int")
----------------
 0. in_port=2, priority 100, cookie 0x8000000000020002
    set_field:0x2->metadata
    resubmit(,80)
80. reg10=0/0x80000000,reg15=0x8000,metadata=0x2, priority 50, cookie 0x8000000000028000
    clone(set_field:0x4->reg15,resubmit(,80))
    set_field:0x4->reg15
    resubmit(,80)
    80. reg15=0x4,metadata=0x2, priority 50, cookie 0x8000000000020004
            resubmit(,160)
        160. reg15=0x4,metadata=0x2, priority 50, cookie 0x8000000000020004
            output:3
    set_field:0x2->tun_id
    set_field:172.31.0.2->tun_dst
    output:1
     -> output to native tunnel
     -> tunneling to 172.31.0.2 via br-phys

    bridge("br-phys")
    -----------------
         0. priority 0
            output:9
             -> forwarding to learned port
    set_field:172.31.0.3->tun_dst
    output:1
     -> output to native tunnel

bridge("br-phys")
-----------------
 0. priority 0
    output:9

Final flow: tcp,reg14=0x2
Megaflow: recirc_id=0,eth,ip,in_port=2
Datapath actions: 6,1,1
"""

RECIRCULATED = """\
Flow: tcp,in_port=2

bridge("br-int")
----------------
13. ip,metadata=0x2, priority 100, cookie 0x2
    ct(table=14,zone=NXM_NX_REG13[0..15])
    drop
     -> A clone of the packet is forked to recirculate.

Final flow: tcp,reg13=0x1
Datapath actions: ct(zone=1),recirc(0x4)

===============================================================================
recirc(0x4) - resume conntrack with ct_state=est|trk
===============================================================================

Flow: recirc_id=0x4,ct_state=est|trk

bridge("br-int")
----------------
    thaw
        Resuming from table 14
14. metadata=0x2, priority 0, cookie 0x8000000000020000
    controller(userdata=00.00.00.05,meter_id=5)
    resubmit(,21)
21. No match.
    drop

Final flow: unchanged
Datapath actions: drop
"""

BACK_TO_WHERE_IT_CAME_FROM = """\
bridge("br-int")
----------------
160. reg15=0x2,metadata=0x2, priority 50, cookie 0x1
    output:2
     >> skipping output to input port
"""


def test_copies_through_tunnels_and_not_the_steps_of_the_bridge_below() -> None:
    found = read_trace(TWO_TUNNELS, "br-int")
    assert found.outputs == (
        TraceOutput("3", ""),
        TraceOutput("1", "172.31.0.2"),
        TraceOutput("1", "172.31.0.3"),
    )
    assert [step.table for step in found.steps] == [0, 80, 80, 160]
    assert found.steps[0] == TraceStep(0, 100, "in_port=2", 0x8000000000020002)
    assert not found.punted


def test_what_follows_a_connection_lookup_belongs_to_the_packet() -> None:
    found = read_trace(RECIRCULATED, "br-int")
    assert [(step.table, step.priority) for step in found.steps] == [
        (13, 100),
        (14, 0),
        (21, NO_MATCH),
    ]
    assert found.punted
    assert found.outputs == ()


def test_an_output_that_is_skipped_is_none() -> None:
    assert read_trace(BACK_TO_WHERE_IT_CAME_FROM, "br-int").outputs == ()


def test_other_bridges_only() -> None:
    assert read_trace(TWO_TUNNELS, "br-other").steps == ()


FORKED = """\
bridge("br-int")
----------------
 0. in_port=2, priority 100, cookie 0x1
    resubmit(,80)
80. reg10=0/0x80000000,reg15=0x8000,metadata=0x13, priority 50, cookie 0x2
    set_field:0x1->reg9
    group:2
    bucket 0
            group:1
             -> no live bucket
    set_field:0x2->reg9
    group:2
    bucket 0
            group:1
             -> no live bucket

Final flow: arp,reg9=0x2,reg14=0x1,reg15={outport},metadata=0x13,arp_op=1
Megaflow: recirc_id=0
Datapath actions: hash(l4(1)),recirc(0x183),hash(l4(1)),recirc(0x184)
"""


def test_the_parts_of_a_wide_group_are_told_with_the_packet_that_they_get() -> None:
    found = read_trace(FORKED.format(outport="0x8000"), "br-int")
    flow = "arp,reg9=0x2,reg14=0x1,reg15=0x8000,metadata=0x13,arp_op=1"
    assert found.forks == (Fork(1, flow), Fork(2, flow))
    assert found.lost == 0


def test_parts_are_lost_where_the_packet_was_another_one_at_the_end() -> None:
    found = read_trace(FORKED.format(outport="0x80001"), "br-int")
    assert (found.forks, found.lost) == ((), 2)


def test_a_translation_that_met_a_limit_lets_nothing_out() -> None:
    text = """\
bridge("br-int")
----------------
 0. in_port=2, priority 100, cookie 0x1
    output:3

Final flow: unchanged
Datapath actions: 3

===============================================================================
recirc(0x1) - resume conntrack with ct_state=new|trk
===============================================================================
 8. priority 0, cookie 0x1
    output:4
    >>>> over 4096 resubmit actions <<<<

Final flow: unchanged
Megaflow: recirc_id=0x1
Datapath actions: drop
Translation failed (Too many resubmits), packet is dropped.
"""
    found = read_trace(text, "br-int")
    assert found.failures == ("Too many resubmits",)
    assert found.outputs == (TraceOutput("3", ""),)


NARROW_TUNNEL = """\
bridge("br-int")
----------------
80. reg15=0x1,metadata=0x2, priority 50, cookie 0x8000000000020001
    set_field:172.31.0.2->tun_dst
    check_pkt_larger(1456)->NXM_NX_REG9[1]
    resubmit(,169)
    169. ip,reg9=0x2/0x2, priority 100, cookie 0x8000000000000000
            clone(resubmit(,167),meter:24,controller(userdata=00.00))
            resubmit(,167)
            167. reg10=0x400/0xffff00, priority 100, cookie 0x8000000000010001
                    meter:260
            meter:24
            controller(userdata=00.00)
    resubmit(,169)
169. priority 0, cookie 0x8000000000000000
    output:1
     -> output to native tunnel

Final flow: tcp,reg14=0x5
"""


def test_what_becomes_of_larger_packets_is_passed_over() -> None:
    found = read_trace(NARROW_TUNNEL, "br-int")
    assert [(step.table, step.priority) for step in found.steps] == [(80, 50), (169, 0)]
    assert found.outputs == (TraceOutput("1", "172.31.0.2"),)
    assert not found.punted


def test_branches_of_two_comparisons_are_told_apart() -> None:
    """One on a router, of its MTU, and one in what follows, of the tunnel."""
    text = """\
bridge("br-int")
----------------
70. metadata=0x1, priority 50, cookie 0x1
    check_pkt_larger(1514)->NXM_NX_REG9[1]
    resubmit(,71)
    71. reg9=0x2/0x2, priority 50, cookie 0x2
            controller(userdata=00.00)
    resubmit(,71)
71. priority 0, cookie 0x3
    check_pkt_larger(1456)->NXM_NX_REG9[1]
    resubmit(,169)
    169. reg9=0x2/0x2, priority 50, cookie 0x4
            controller(userdata=00.00)
    resubmit(,169)
169. priority 0, cookie 0x5
    output:1
"""
    found = read_trace(text, "br-int")
    assert [step.cookie for step in found.steps] == [1, 3, 5]
    assert not found.punted


def test_what_lookups_translate() -> None:
    text = """
26. metadata=0x1, priority 100, cookie 0x1
    ct(table=27,zone=NXM_NX_REG11[0..15],nat)
recirc(0x5) - resume conntrack with ct_state=new|trk
27. metadata=0x1, priority 100, cookie 0x1
    ct(commit,table=28,zone=NXM_NX_REG12[0..15],nat(src=198.51.100.1))
     >> Replacing src/dst IP/ports to simulate NAT:
28. metadata=0x1, priority 100, cookie 0x1
    ct(commit,zone=NXM_NX_REG13[0..15])
    ct(commit,table=29,zone=NXM_NX_REG11[0..15],nat(dst=10.0.0.1:80))
"""
    assert translations(text) == ("", "snat", "dnat")
