"""What the ends of the last release that was not open understand: they don't say it themselves.

Such an end closes the connection at a row or a message that it doesn't know, and an agent
loses a whole flow group with one word in it that it can't parse. So it is sent nothing of
the kind: see :mod:`southbound.watch.dialect`. None of this ever changes.
"""

from typing import Final

from southbound.vocabulary import Vocabulary

_TABLES: Final = {
    "template": """
        id pipeline stage table_number stage_default priority match actions only
    """,
    "chassis": """
        name hostname encaps external_ids alive
    """,
    "datapath": """
        id kind name tunnel_key
    """,
    "port_binding": """
        id datapath name tunnel_key type enabled addresses multicast peer peer_datapath
        requested_chassis options chassis up candidates neighbours
    """,
    "flow_group": """
        id datapath cause_kind cause_id revision payload
    """,
    "set_member": """
        set member
    """,
    "mac_binding": """
        datapath port ip mac chassis learned_at
    """,
    "fdb": """
        datapath mac port chassis learned_at
    """,
}

_WORD_LIST: Final = """
    <-> = alert allow arp arp.op arp.sha arp.spa arp.tha arp.tpa clone ct.dnat ct.est ct.inv
    ct.new ct.rel ct.rpl ct.snat ct.trk ct_clear ct_commit ct_label ct_mark ct_mark.blocked
    ct_mark.egress ct_next ct_state debug drop eth.bcast eth.dst eth.mcast eth.mcastv6
    eth.src eth.type flags flags.loopback get_arp get_fdb get_nd icmp icmp4 icmp4.code
    icmp4.type icmp6 icmp6.code icmp6.type icmp6_unknown_header igmp info inport ip ip.dscp
    ip.ecn ip.first_frag ip.frag ip.is_frag ip.later_frag ip.proto ip.ttl ip.ttl-- ip4
    ip4.dst ip4.mcast ip4.src ip4.src_mcast ip6 ip6.dst ip6.label ip6.mcast ip6.src log
    lookup_arp lookup_fdb lookup_nd meter mldv1 mldv2 name nd nd.sll nd.target nd.tll nd_na
    nd_na_router nd_ns nd_ra nd_rs next notice outport output pass pkt.mark put_arp put_fdb
    put_nd rarp rarp.op rarp.sha rarp.spa rarp.tha rarp.tpa reg0 reg1 reg2 reg3 reg4 reg5
    reg6 reg7 reg8 reg9 reject sctp sctp.dst sctp.src sctp_abort set_meter severity tcp
    tcp.dst tcp.flags tcp.src tcp_reset udp udp.dst udp.src verdict vlan.pcp vlan.present
    vlan.tci vlan.vid warning xreg0 xreg1 xreg2 xreg3 xreg4 xxreg0 xxreg1 {bytes} {cidr4}
    {cidr6} {datapath} {expr} {group} {int} {ip4} {ip6} {lport} {mac} {mcgroup} {meter}
    {set}
    """

PORT_TYPES: Final = frozenset({"vif", "patch"})
"""The types of port bindings whose rows it can read."""

DATAPATH_KINDS: Final = frozenset({"ls", "lr"})
"""The kinds of datapaths whose rows it can read."""

_QUESTIONS: Final = ("compare", "trace-port", "trace-tunnel")

_WORDS: Final = tuple(_WORD_LIST.split())

_FIELDS: Final = {table: tuple(fields.split()) for table, fields in _TABLES.items()}

CLOSED_AGENT: Final = Vocabulary(
    _FIELDS,
    ("ask", "denied", "hello", "refused", "update"),
    _QUESTIONS,
    _WORDS,
)
CLOSED_SERVER: Final = Vocabulary(
    _FIELDS,
    (
        "ack",
        "answer",
        "claim",
        "claim-only",
        "conditions",
        "counters",
        "learned-fdb",
        "learned-mac",
        "leave",
        "port-up",
        "register",
        "release",
        "subscribe",
        "tunnels",
        "unsubscribe",
    ),
    (),
    _WORDS,
)
