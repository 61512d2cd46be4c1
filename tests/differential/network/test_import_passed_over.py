"""What an import calls meaningless changes nothing that OVN makes of the network it comes from.

That is its logical flows, and the static MAC bindings that it hands on to hypervisors.
"""

import re
import shlex
import subprocess

import pytest

from cli.import_ovn.database import read_snapshot
from cli.import_ovn.translation import translate
from tests.differential.network.judge import Judge
from tests.differential.network.test_import_oddities import NOTHING

NETWORK = [
    "ls-add a",
    "lsp-add a a1 -- lsp-set-addresses a1 '0a:00:00:00:01:01 10.0.1.1'",
    "lsp-add a a2 -- lsp-set-addresses a2 '0a:00:00:00:01:02 10.0.1.2 fd00::2'",
    "lr-add r",
    "lrp-add r r-a 0a:00:00:01:00:01 10.0.1.254/24 fd00:1::fe/64",
    "lsp-add a a-r -- lsp-set-type a-r router -- lsp-set-options a-r router-port=r-a",
    "lsp-set-addresses a-r router",
    "create static_mac_binding logical_port=r-a ip=10.0.1.7 mac='\"0a:00:00:00:01:07\"'",
]

ROUTE = "--id=@r create logical_router_static_route"
ADDED = "add logical_router r static_routes @r"

PASSED_OVER = [
    "set logical_switch_port a1 options:mcast_flood=true",
    "set logical_switch_port a1 options:mcast_flood_reports=true",
    "set logical_switch_port a1 tag=7",
    "set logical_switch_port a1 tag_request=7",
    "set logical_switch_port a1 options:arp_proxy=10.0.1.77",
    "set logical_switch_port a1 options:hostname=x",
    "set logical_switch_port a1 options:qos_burst=1000",
    "set logical_switch_port a1 addresses='\"0a:0:0:0:1:1 10.0.1.1/24 etc\"' ",
    "add logical_switch_port a1 addresses nonsense",
    "set logical_switch_port a-r port_security='\"0a:00:00:01:00:01 10.0.1.254\"'",
    "set logical_switch_port a-r options:requested-chassis=hv1",
    "set logical_router_port r-a options:reside-on-redirect-chassis=true",
    "set logical_router_port r-a options:redirect-type=bridged",
    "set logical_router_port r-a ipv6_ra_configs:send_periodic=true",
    "set logical_router_port r-a mac='\"a:0:0:1:0:1\"'",
    "add logical_router_port r-a networks nonsense",
    "set logical_switch a other_config:mcast_snoop=yes",
    "set logical_router r options:mcast_relay=yes",
    "lr-route-add r 0.0.0.0/0 10.9.9.9",
    f"{ROUTE} ip_prefix=10.0.0/16 nexthop=10.0.1.1 -- {ADDED}",
    f"{ROUTE} ip_prefix=0.0.0.0/0 nexthop=10.0.1.1/24 -- {ADDED}",
    "--id=@d create dhcp_options cidr=10.0.1.0/24 -- set logical_switch_port a1 dhcpv4_options=@d",
    "create static_mac_binding logical_port=nowhere ip=10.0.1.77 mac='\"0a:00:00:00:01:77\"'",
    "create static_mac_binding logical_port=a1 ip=10.0.1.77 mac='\"0a:00:00:00:01:77\"'",
    "lsp-add a lost -- lsp-set-type lost router -- lsp-set-options lost router-port=gone",
]


@pytest.mark.parametrize("command", PASSED_OVER)
def test_it_changes_nothing_on_hypervisors(judge: Judge, command: str) -> None:
    judge.load(NOTHING)
    for table in "load_balancer", "dns", "dhcp_options":
        _nbctl(judge, f"--all destroy {table}")
    for each in NETWORK:
        _nbctl(judge, each)
    before, imported = _realised(judge), translate(read_snapshot(judge.northbound), "ovn")
    assert imported.report.findings == []
    _nbctl(judge, command)
    assert _realised(judge) == before
    again = translate(read_snapshot(judge.northbound), "ovn")
    assert again.report.losses == []
    assert again.document == imported.document


def _nbctl(judge: Judge, command: str) -> None:
    argv = ["ovn-nbctl", f"--db={judge.northbound}", "--wait=sb", *shlex.split(command)]
    subprocess.run(argv, check=True, timeout=60)


def _realised(judge: Judge) -> set[str]:
    """Logical flows, without those towards the port that leads nowhere, and static bindings."""
    return _logical_flows(judge) | _static_mac_bindings(judge)


def _static_mac_bindings(judge: Judge) -> set[str]:
    columns = "--columns=logical_port,ip,mac,override_dynamic_mac"
    argv = ["ovn-sbctl", f"--db={judge.southbound}", "--bare", "--format=csv", columns]
    argv += ["list", "static_mac_binding"]
    done = subprocess.run(argv, check=True, timeout=60, capture_output=True, text=True)
    return set(done.stdout.splitlines())


def _logical_flows(judge: Judge) -> set[str]:
    argv = ["ovn-sbctl", f"--db={judge.southbound}", "lflow-list"]
    done = subprocess.run(argv, check=True, timeout=60, capture_output=True, text=True)
    lines = (re.sub(r"Datapath: \S+ ", "Datapath: ", line) for line in done.stdout.splitlines())
    return {line for line in lines if '"lost"' not in line}
