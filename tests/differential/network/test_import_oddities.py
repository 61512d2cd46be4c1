"""Networks that OVN allows and no Treadle document says: imported, packets fare as in OVN."""

import json
import shlex
import subprocess
from typing import NamedTuple

import pytest

from cli.import_ovn.database import read_snapshot
from cli.import_ovn.translation import translate
from tests.differential.network.judge import Judge
from tests.differential.network.probe import Probe
from tests.differential.network.topologies import Document

NOTHING: Document = {
    kind: {} for kind in ("address_sets", "logical_switches", "logical_routers", "port_groups")
}

HOSTS = [
    "ls-add a",
    "lsp-add a a1 -- lsp-set-addresses a1 '0a:00:00:00:01:01 10.0.1.1'",
    "lsp-add a a2 -- lsp-set-addresses a2 '0a:00:00:00:01:02 10.0.1.2'",
]
ROUTER = ["lr-add r", "lrp-add r r-a 0a:00:00:01:00:01 10.0.1.254/24 fd00:1::fe/64"]
UPLINK = "lsp-add a a-r -- lsp-set-type a-r router -- lsp-set-options a-r router-port=r-a"


class Oddity(NamedTuple):
    about: str
    commands: list[str]
    packets: list[str]
    delivered: list[bool]
    """Which of the packets come out anywhere."""


def ip(inport: str, to: str, rest: str, *, mac: str = "0a:00:00:00:01:01") -> str:
    return f'inport == "{inport}" && eth.src == {mac} && eth.dst == {to} && ip.ttl == 64 && {rest}'


TO_A2 = ip("a1", "0a:00:00:00:01:02", "ip4.src == 10.0.1.1 && ip4.dst == 10.0.1.2 && tcp.dst == 80")
TO_ROUTER = ip(
    "a1", "0a:00:00:01:00:01", "ip4.src == 10.0.1.1 && ip4.dst == 10.0.1.254 && icmp4.type == 8"
)
OUTSIDE4 = ip("a1", "0a:00:00:01:00:01", "ip4.src == 10.0.1.1 && ip4.dst == 192.0.2.1 && udp")
OUTSIDE6 = ip("a1", "0a:00:00:01:00:01", "ip6.src == fd00:1::1 && ip6.dst == 2001:db8::1 && udp")
TO_NEIGHBOUR4, TO_NEIGHBOUR6 = (
    ip("b1", "0a:00:00:01:00:02", f"{addresses} && udp", mac="0a:00:00:00:02:01")
    for addresses in (
        "ip4.src == 10.0.2.1 && ip4.dst == 10.0.1.77",
        "ip6.src == fd00:2::1 && ip6.dst == fd00:1::77",
    )
)
WHO_HAS_A3 = (
    'inport == "a1" && eth.src == 0a:00:00:00:01:01 && eth.dst == ff:ff:ff:ff:ff:ff && '
    "arp.op == 1 && arp.sha == 0a:00:00:00:01:01 && arp.spa == 10.0.1.1 && "
    "arp.tha == 00:00:00:00:00:00 && arp.tpa == 10.0.1.3"
)
NO_HTTP = "direction=to-lport priority=9 match='\"tcp.dst == 80\"' action=drop"


def _rules(*rules: tuple[str, str]) -> list[str]:
    """The commands that add ACLs past the checks of ovn-nbctl: they drop what fits."""
    return [
        f"--id=@rule{number} create acl direction={direction} priority=9 action=drop "
        f"match='{json.dumps(match)}' -- add logical_switch a acls @rule{number}"
        for number, (match, direction) in enumerate(rules)
    ]


ODDITIES = [
    Oddity(
        "names that are none, or not its own",
        [
            *HOSTS,
            "set logical_switch a name='\"a b\"'",
            "create logical_switch name='\"a b\"'",
            "pg-add my-group a2",
            "acl-add my-group to-lport 9 'outport==\"a2\" && tcp.dst == 80' drop",
        ],
        [TO_A2, TO_A2.replace("80", "81")],
        [False, True],
    ),
    Oddity(
        "a router's addresses written out",
        [
            *HOSTS,
            *ROUTER,
            UPLINK,
            "lsp-set-addresses a-r '0a:00:00:01:00:01 10.0.1.254 fd00:1::fe'",
        ],
        [TO_ROUTER],
        [True],
    ),
    Oddity(
        "spellings of its own",
        [
            "ls-add a",
            "lsp-add a a1 -- lsp-set-addresses a1 '0a:0:0:0:1:1 10.0.1.1/24'",
            "lsp-set-port-security a1 '0A:00:0:0:1:1 010.0.1.1'",
            "lsp-add a a2",
            """set logical_switch_port a2 'addresses="0a:0:0:0:1:102 10.256.1.2",nonsense'""",
            "lr-add r",
            "lrp-add r r-a 0a:0:0:1:0:1 10.0.1.254/24",
            UPLINK,
            "lsp-set-addresses a-r 0a:0:0:1:0:1",
        ],
        [TO_A2, TO_A2.replace("ip4.src == 10.0.1.1", "ip4.src == 10.0.1.9"), TO_ROUTER],
        [True, False, True],
    ),
    Oddity(
        "ACLs that it cannot read, or that never fit",
        [
            *HOSTS,
            "pg-add group a1 a2",
            "create address_set name=wide addresses='\"fd00::1\"'",
            *_rules(
                ("ip6.dst == <nil> || tcp", "from-lport"),
                ("ip4.src == $wide || tcp", "to-lport"),
                ("ip4.src == $gone || tcp", "to-lport"),
                ("outport == @gone && tcp", "to-lport"),
                ("outport == @group && tcp", "from-lport"),
                ('outport == "a2" || udp.dst == 53', "from-lport"),
            ),
        ],
        [TO_A2, TO_A2.replace("tcp.dst == 80", "udp.dst == 53")],
        [True, False],
    ),
    Oddity(
        "routes that lead nowhere",
        [
            *HOSTS,
            *ROUTER,
            UPLINK,
            "lsp-set-addresses a-r router",
            "lr-route-add r 192.0.2.0/24 198.51.100.1",
            "lr-route-add r 0.0.0.0/0 10.0.1.2",
        ],
        [OUTSIDE4],
        [True],
    ),
    Oddity(
        "a link-local next hop",
        [
            *HOSTS,
            *ROUTER,
            UPLINK,
            "lsp-set-addresses a-r router",
            "lr-route-add r ::/0 fe80::800:ff:fe00:102",
        ],
        [OUTSIDE6],
        [True],
    ),
    Oddity(
        "dynamic addresses",
        [
            *HOSTS,
            "set logical_switch a other_config:subnet=10.0.1.0/24",
            "lsp-add a a3 -- lsp-set-addresses a3 '0a:00:00:00:01:03 dynamic'",
        ],
        [
            ip("a1", "0a:00:00:00:01:03", "ip4.src == 10.0.1.1 && ip4.dst == 10.0.1.3 && tcp"),
            WHO_HAS_A3,
        ],
        [True, True],
    ),
    *(
        Oddity(
            f"static MAC bindings, in a network or not, override_dynamic_mac={overrides}",
            [
                *HOSTS,
                *ROUTER,
                UPLINK,
                "lsp-set-addresses a-r router",
                "ls-add b",
                "lsp-add b b1 -- lsp-set-addresses b1 '0a:00:00:00:02:01 10.0.2.1 fd00:2::1'",
                "lrp-add r r-b 0a:00:00:01:00:02 10.0.2.254/24 fd00:2::fe/64",
                UPLINK.replace(" a", " b").replace("r-a", "r-b"),
                "lsp-set-addresses b-r router",
                "lr-route-add r 192.0.2.0/24 198.51.100.1 r-a",
                *(
                    f"create static_mac_binding logical_port=r-a ip='\"{neighbour}\"' "
                    f"mac='\"0a:0:0:0:1:2\"' override_dynamic_mac={overrides}"
                    for neighbour in ("10.0.1.77", "FD00:1::77", "198.51.100.1")
                ),
            ],
            [
                TO_NEIGHBOUR4,
                TO_NEIGHBOUR6,
                TO_NEIGHBOUR4.replace("10.0.1.77", "192.0.2.1"),
                TO_NEIGHBOUR4.replace("10.0.1.77", "203.0.113.1"),
            ],
            [True, True, True, False],
        )
        for overrides in ("true", "false")
    ),
    Oddity(
        "the same rule twice",
        [
            *HOSTS,
            f"--id=@one create acl {NO_HTTP} -- add logical_switch a acls @one",
            f"--id=@two create acl {NO_HTTP} -- add logical_switch a acls @two",
        ],
        [TO_A2, TO_A2.replace("80", "81")],
        [False, True],
    ),
]


@pytest.mark.parametrize("oddity", ODDITIES, ids=lambda oddity: oddity.about)
def test_packets_fare_as_in_ovn(judge: Judge, oddity: Oddity) -> None:
    judge.load(NOTHING)
    words = [word for command in oddity.commands for word in ["--", *shlex.split(command)]]
    nbctl = ["ovn-nbctl", f"--db={judge.northbound}", "--wait=sb", *words[1:]]
    subprocess.run(nbctl, check=True, timeout=60)
    imported = translate(read_snapshot(judge.northbound), "ovn")
    assert imported.report.losses == []
    verdicts = judge.compare(imported.document, [Probe(text, "new") for text in oddity.packets])
    assert [str(verdict) for verdict in verdicts if verdict.is_failure] == []
    assert [bool(verdict.ours) for verdict in verdicts] == oddity.delivered
