"""Texts of every logical action, for tests of what all actions must have."""

from logical_flow.action import Action
from logical_flow.action_parser import parse_actions

TEXTS = """
next;
next(ls_in_lookup);
output;
drop;
clone { output; };
reg0 = 1;
reg0 = 0x10/0xf0;
outport = "port-1";
reg0 = reg1;
reg0 <-> reg1;
ip.ttl--;
ct_next;
ct_next(port);
ct_commit;
ct_commit(port);
ct_commit { ct_mark.blocked = 1; ct_label[96..127] = reg3; };
ct_clear;
ct_snat;
ct_dnat;
ct_dnat(10.0.0.5, 80);
ct_snat(10.0.0.5..10.0.0.9, 1024..2047);
ct_dnat(fd00::5);
ct_snat(fd00::5..fd00::9, 80, zone=port);
ct_snat(zone=port);
ct_lb("&web");
ct_lb("&web") { ct_mark.blocked = 0; };
ct_lb("&web", hash_fields="ip_src,tp_src");
arp { output; };
nd_ns { output; };
nd_na { output; };
nd_na_router { output; };
nd_ra { output; };
dns_lookup { output; };
handle_bfd(20);
reg9[1] = check_pkt_larger(1514);
packet_too_big(reg0) { output; };
icmp4 { output; };
icmp6 { output; };
icmp6_unknown_header { output; };
whole_error { next; };
requote_source { next; };
requote_destination { next; };
tcp_reset { output; };
sctp_abort { output; };
reject { output; };
dhcpv4_reply(10.0.0.5, "1=ffffff00 51=00000e10") { output; };
dhcpv6_reply(fd00::5, "23=") { output; };
get_arp(outport, reg0);
get_nd(outport, xxreg0);
put_arp(inport, reg0, eth.src);
put_nd(inport, xxreg0, eth.src);
reg9[0] = lookup_arp(inport, reg0, eth.src);
reg9[0] = lookup_nd(inport, xxreg0, eth.src);
reg9[0] = lookup_arp_ip(inport, reg0);
reg9[0] = lookup_nd_ip(outport, xxreg0);
outport = get_fdb(eth.dst);
reg0 = 2;
put_fdb(inport, eth.src);
claim_arp(inport, reg0);
claim_nd(inport, xxreg0);
backend_answer;
reg9[0] = lookup_fdb(inport, eth.src);
reg0[0..15] = select(1=50, 2=50);
reg0[0..15] = select(1=50, 2=50, hash_fields="ip_proto,ip_src");
log(name="web", severity=info, verdict=drop, meter="m 10 20");
set_meter(10, 20);
set_queue("port-1", 100);
set_queue("port-1", 100, 20);
""".strip().splitlines()
"""One or more of each; a new action belongs here, too."""


def samples() -> list[Action]:
    """Return the actions that `TEXTS` are the texts of."""
    return [action for text in TEXTS for action in parse_actions(text)]


def concrete_actions(kind: type[Action] = Action) -> set[str]:
    """Return the names of all classes of actions, whether they are in the list or not.

    Of a class with slots there may be two: the one that the decorator replaced goes later.
    """
    below = {name for subclass in kind.__subclasses__() for name in concrete_actions(subclass)}
    return below if kind.__abstractmethods__ else below | {kind.__qualname__}
