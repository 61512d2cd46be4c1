"""Which connections the ACLs let be."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from chassis_agent.openflow.messages import CtTuple
from chassis_agent.revocation.conntrack import BLOCKED, FROM_EGRESS, TrackedConnection
from chassis_agent.revocation.verdict import AclJudge
from logical_flow.template import Template, TemplateText
from tests.unit.chassis_agent.revocation.acls import judge

CLIENT, SERVER = ip_address("10.0.0.1"), ip_address("10.0.0.2")


def connection(
    protocol: int = 6, destination_port: int = 80, *, mark: int = FROM_EGRESS, label: int = 0
) -> TrackedConnection:
    return TrackedConnection(
        CtTuple(CLIENT, SERVER, protocol, 40000, destination_port), mark, label
    )


DENY_REST = ("to-lport", 1, 'outport == "web" && ip4', "drop")


@pytest.mark.parametrize(
    ("acl", "is_denied"),
    [
        (("to-lport", 9, "tcp.dst == 80", "allow"), False),
        (("to-lport", 9, "tcp.dst == 443", "allow"), True),
        (("to-lport", 9, 'outport == "web" && ip4.src == 10.0.0.0/24', "allow"), False),
        (("to-lport", 9, 'outport == "db" && ip4.src == 10.0.0.0/24', "allow"), True),
        (("to-lport", 9, "ip4.src == $clients", "allow"), False),
        (("to-lport", 9, "ip4.src == $nobody", "allow"), True),
        (("to-lport", 9, "outport == @group && tcp", "allow"), False),
        (("to-lport", 9, "ip4", "reject"), True),
        (("to-lport", 9, "udp", "allow"), True),
        (("to-lport", 9, "ip4 && !udp", "allow"), False),
        (("to-lport", 9, "ip.proto != 6", "allow"), True),
        # What a connection does not tell cannot be what saves it.
        (("to-lport", 9, "eth.src == 0a:00:00:00:00:01", "allow"), True),
        (("to-lport", 9, 'inport == "client"', "allow"), True),
        (("to-lport", 9, "tcp.flags == 2", "allow"), True),
        (("to-lport", 9, "eth.src == 0a:00:00:00:00:01", "drop"), True),
        # … nor matters what decides nothing.
        (("to-lport", 0, "ip.ttl == 3", "allow"), True),
        (("from-lport", 9, "ip4", "allow"), True),
    ],
)
def test_a_connection_towards_the_port(acl: tuple[str, int, str, str], is_denied: bool) -> None:
    sets = {"$clients": ["10.0.0.1"], "@group": ["web"]}
    assert judge(DENY_REST, acl, sets=sets).denies("web", connection()) is is_denied


def test_without_a_denial_everything_goes_on() -> None:
    assert not judge(("to-lport", 9, "tcp.dst == 443", "allow")).denies("web", connection())


def test_the_mark_tells_which_pipeline_is_asked() -> None:
    acls = judge(("from-lport", 9, 'inport == "web" && tcp', "drop"))
    assert acls.denies("web", connection(mark=0))
    assert not acls.denies("web", connection(mark=FROM_EGRESS))


def test_a_connection_that_was_blocked_is_judged_like_any_other() -> None:
    mark = FROM_EGRESS | BLOCKED
    assert judge(DENY_REST).denies("web", connection(mark=mark))
    assert not judge().denies("web", connection(mark=mark))


def test_passing_on_leads_to_the_next_tier() -> None:
    passes = ("to-lport", 9, "tcp", "pass_on")
    assert not judge(passes).denies("web", connection())


def test_icmp_by_type() -> None:
    ping = TrackedConnection(CtTuple(CLIENT, SERVER, 1, 8, 0, 77), FROM_EGRESS, 0)
    allow = ("to-lport", 9, "icmp4.type == 8", "allow")
    assert not judge(DENY_REST, allow).denies("web", ping)
    assert judge(DENY_REST).denies("web", ping)


@pytest.mark.parametrize(
    ("port", "acl", "is_denied"),
    [
        (80, "sctp.dst == 80", True),
        (80, "sctp.dst == 81", False),
        # The switch tracks addresses alone: it may be an association to any port.
        (0, "sctp.dst == 80", True),
        (0, "tcp.dst == 80", False),
    ],
)
def test_associations_of_sctp(port: int, acl: str, is_denied: bool) -> None:
    source = 40000 if port else 0
    association = TrackedConnection(CtTuple(CLIENT, SERVER, 132, source, port), FROM_EGRESS, 0)
    denied = judge(("to-lport", 9, acl, "drop")).denies("web", association)
    assert denied is is_denied


def test_ipv6() -> None:
    source, destination = ip_address("fd00::1"), ip_address("fd00::2")
    original = CtTuple(source, destination, 17, 1000, 53)
    acls = judge(
        ("to-lport", 1, "ip6", "drop"), ("to-lport", 9, "ip6.src == fd00::/64 && udp", "allow")
    )
    assert not acls.denies("web", TrackedConnection(original, FROM_EGRESS, 0))
    assert acls.denies("web", TrackedConnection(original._replace(protocol=6), FROM_EGRESS, 0))


def test_a_switch_that_tracks_nothing_denies_no_connection() -> None:
    assert not AclJudge([]).denies("web", connection())


VIP, BACKEND = ip_address("10.0.0.100"), ip_address("10.0.0.2")
TO_VIP = TrackedConnection(
    CtTuple(CLIENT, VIP, 6, 40000, 80), FROM_EGRESS, 0, CtTuple(CLIENT, BACKEND, 6, 40000, 8080)
)
ALLOW_VIP = ("to-lport", 9, "ip4.dst == 10.0.0.100 && tcp.dst == 80", "allow")
ALLOW_BACKEND = ("to-lport", 9, "ip4.dst == 10.0.0.2 && tcp.dst == 8080", "allow")


def translating(table: int) -> Template:
    """A template of the egress pipeline that translates, in that place."""
    text = TemplateText(
        table, "ls_out", f"ls_out_nat_{table}", table, "next", "1", "ip4", "ct_dnat(10.0.0.2);", ""
    )
    return Template.from_text(text)


BEFORE, AFTER = translating(0), translating(200)


@pytest.mark.parametrize(
    ("acls", "templates", "is_denied"),
    [
        ([ALLOW_VIP], [AFTER], False),
        ([ALLOW_BACKEND], [AFTER], True),
        ([ALLOW_VIP], [BEFORE], True),
        ([ALLOW_BACKEND], [BEFORE], False),
        ([ALLOW_VIP], [BEFORE, AFTER], True),
        ([ALLOW_BACKEND], [BEFORE, AFTER], True),
        ([ALLOW_VIP, ALLOW_BACKEND], [BEFORE, AFTER], False),
        # Nothing here translates, so something else did.
        ([ALLOW_VIP], [], True),
        ([ALLOW_VIP, ALLOW_BACKEND], [], False),
    ],
)
def test_a_translated_connection_is_judged_as_its_acls_see_it(
    acls: list[tuple[str, int, str, str]], templates: list[Template], is_denied: bool
) -> None:
    judged = judge(DENY_REST, *acls, templates=templates)
    assert judged.denies("web", TO_VIP) is is_denied
    plain = TO_VIP._replace(translated=None)
    assert judged.denies("web", plain) is (ALLOW_VIP not in acls), "only translations differ"


@pytest.mark.parametrize("allowed", ["ip4.dst == 10.0.0.100", "ip4.dst == 10.0.0.2"])
def test_connections_to_virtual_addresses_are_judged_as_clients_asked(allowed: str) -> None:
    deny, allow = ("from-lport", 1, "ip4", "drop"), ("from-lport", 9, allowed, "allow")
    balanced = TO_VIP._replace(mark=0)
    assert judge(deny, allow).denies("web", balanced) is (allowed != "ip4.dst == 10.0.0.100")
    itself = balanced._replace(
        original=CtTuple(BACKEND, BACKEND, 6, 40000, 8080),
        translated=CtTuple(VIP, BACKEND, 6, 40000, 8080),
    )
    assert not judge(deny, allow).denies("web", itself), "what it asked for is judged"


@pytest.mark.parametrize("verdict", ["drop", "reject"])
@pytest.mark.parametrize(
    ("denied", "is_denied"),
    [
        ("ip4.dst == 10.0.0.2 && tcp.dst == 8080", True),
        ("ip4.dst == 10.0.0.100", False),
        ("ip4.dst == 10.0.0.2 && tcp.dst == 80", False),
    ],
)
def test_acls_after_load_balancing_are_asked_about_the_backend(
    denied: str, is_denied: bool, verdict: str
) -> None:
    acls = judge(after_lb=[("from-lport", 9, denied, verdict)])
    assert acls.denies("web", TO_VIP._replace(mark=0)) is is_denied
    assert not acls.denies("web", TO_VIP), "nothing is asked about what egress has let in"


def test_both_sorts_of_acls_have_to_allow_a_connection() -> None:
    deny = ("from-lport", 1, "ip4", "drop")
    vip = ("from-lport", 9, "ip4.dst == 10.0.0.100", "allow")
    backend = ("from-lport", 9, "ip4.dst == 10.0.0.2", "allow")
    to_vip = TO_VIP._replace(mark=0)
    assert not judge(deny, vip, after_lb=[deny, backend]).denies("web", to_vip)
    assert judge(deny, after_lb=[deny, backend]).denies("web", to_vip)
    assert judge(deny, vip, after_lb=[deny]).denies("web", to_vip)
    untranslated = to_vip._replace(translated=None)
    assert judge(after_lb=[deny, backend]).denies("web", untranslated)
    assert not judge(after_lb=[deny, vip]).denies("web", untranslated)
