"""The line about a packet that an ACL wants logged."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from chassis_agent import tables
from chassis_agent.local.port_names import PortNames
from chassis_agent.openflow.packet_in import PacketIn
from chassis_agent.punt.opcodes import LogArguments
from chassis_agent.punt.packet_log import AclLog, describe
from logical_flow.action import SEVERITIES, VERDICTS
from southbound.rows import Datapath, PortBinding
from tests.unit.chassis_agent.punt import frames

ARGUMENTS = LogArguments(b"no-web", SEVERITIES.index("warning"), VERDICTS.index("drop"))
FIELDS = {"metadata": 7, "xreg7": 1 << 32 | 2}


def logged(
    arguments: LogArguments = ARGUMENTS, *, frame: bytes = b"", table: int = tables.INGRESS
) -> dict[str, Any]:
    ports = PortNames()
    ports.change(
        [
            Datapath("ls", "ls", "ls", 7),
            PortBinding("id-a", "ls", "a", 1, "vif"),
        ],
        [],
    )
    packet = PacketIn(frame or frames.tcp_frame(4, 2), b"", FIELDS, 0, table)
    with capture_logs() as lines:
        AclLog(ports).packet_logged(arguments, packet)
    (line,) = lines
    return dict(line)


def test_the_line_says_which_acl_decided_what_about_which_packet() -> None:
    assert logged() == {
        "event": "acl",
        "log_level": "info",
        "acl": "no-web",
        "severity": "warning",
        "verdict": "drop",
        "direction": "from-lport",
        "inport": "a",
        "outport": None,
        "eth_src": frames.A_MAC,
        "eth_dst": frames.B_MAC,
        "ip_src": frames.A4,
        "ip_dst": frames.B4,
        "ip_proto": 6,
        "src_port": 1000,
        "dst_port": 80,
    }


def test_an_acl_of_the_egress_pipeline_is_one_of_receiving() -> None:
    assert logged(table=tables.EGRESS + 3)["direction"] == "to-lport"


def test_an_acl_without_a_name_or_with_numbers_that_nobody_knows() -> None:
    line = logged(LogArguments(b"\xff", None, 99))
    assert (line["acl"], line["severity"], line["verdict"]) == ("\ufffd", None, None)


@pytest.mark.parametrize("version", [4, 6])
def test_ports_of_udp(version: int) -> None:
    facts = describe(frames.udp_frame(version))
    assert (facts["ip_proto"], facts["src_port"], facts["dst_port"]) == (17, 1000, 53)


def test_a_later_fragment_has_no_ports() -> None:
    frame = bytearray(frames.udp_frame(4))
    frame[20:22] = (100).to_bytes(2)
    assert "src_port" not in describe(bytes(frame))


def test_whatever_tenants_send_gives_a_line() -> None:
    for frame in frames.damaged(frames.tcp_frame(6, 2)):
        facts = describe(frame)
        assert "unread" in facts or "ip_proto" in facts
