"""What security groups do to packets: walked through the flows that their ACLs become."""

from collections.abc import Callable, Sequence

import pytest
from sqlalchemy import select

from api.neutron.context import LOCAL
from api.neutron.resources.address_group import AddressGroups
from api.neutron.security.groups import add_rule, new_group
from api.neutron.security.membership import default_group, set_groups, set_protected
from api.neutron.security.rule import Rule
from logical_flow.connections import ConnectionTable
from logical_flow.walk_network import Network
from northbound.database import Database
from northbound.models import LogicalSwitchPort, NeutronSecurityGroupRule
from northbound.services import (
    ACLS,
    LOGICAL_ROUTER_PORTS,
    LOGICAL_ROUTERS,
    LOGICAL_SWITCH_PORTS,
    LOGICAL_SWITCHES,
)
from northbound.transaction import Transaction
from tests.translated import Translated
from tests.unit.translator.walks import reached

HOSTS = {"a": 1, "b": 2, "c": 3, "open": 9}
"""Ports and the last byte of their addresses. All but `open` have port security."""


class Lan:
    """Four ports on one switch, and the security groups that they are put in."""

    def __init__(self, tx: Transaction, project: str = "default") -> None:
        self.tx = tx
        self.project = project
        self.switch = LOGICAL_SWITCHES.create(tx, {"name": "lan", "project": project})
        self.ports = {name: self._port(name) for name in HOSTS}

    def _port(self, name: str) -> LogicalSwitchPort:
        number = HOSTS[name]
        addresses = f"{mac(name)} 10.0.0.{number} fd00::{number}"
        values = {"name": name, "logical_switch": self.switch.id, "addresses": [addresses]}
        values["port_security"] = [] if name == "open" else [addresses]
        port = LOGICAL_SWITCH_PORTS.create(self.tx, values)
        set_protected(self.tx, port, name != "open")
        return port

    def group(self, *rules: Rule, ports: Sequence[str] = (), stateful: bool = True) -> str:
        """A new group with these rules besides those that all have, and these ports only in it."""
        group_id = new_group(self.tx, self.project, "", stateful=stateful)
        for rule in rules:
            add_rule(self.tx, LOCAL, group_id, rule)
        self.put(group_id, *ports)
        return group_id

    def egress_rules(self, group_id: str) -> list[str]:
        """The ids of the rules of a group by which its ports may send, oldest first."""
        query = select(NeutronSecurityGroupRule.id).where(
            NeutronSecurityGroupRule.security_group_id == group_id,
            NeutronSecurityGroupRule.direction == "egress",
        )
        return list(self.tx.session.scalars(query))

    def put(self, group_id: str, *ports: str) -> None:
        for name in ports:
            set_groups(self.tx, self.ports[name], [group_id])


def mac(name: str) -> str:
    return f"0a:00:00:00:00:0{HOSTS[name]}"


def packet(source: str, target: str, match: str, version: int = 4) -> str:
    """A packet from one port to another, by what else it is."""
    prefix = "10.0.0." if version == 4 else "fd00::"
    return (
        f'inport == "{source}" && eth.src == {mac(source)} && eth.dst == {mac(target)} '
        f"&& ip{version}.src == {prefix}{HOSTS[source]} "
        f"&& ip{version}.dst == {prefix}{HOSTS[target]} && ip.ttl == 64 && {match}"
    )


def tcp(source: str, target: str, port: int = 80, version: int = 4) -> str:
    return packet(source, target, f"tcp.src == 40000 && tcp.dst == {port}", version)


def answer(source: str, target: str, port: int = 80, version: int = 4) -> str:
    return packet(source, target, f"tcp.src == {port} && tcp.dst == 40000", version)


def network(
    database: Database, put_together: Callable[[Lan], object], project: str = "default"
) -> Network:
    """The network of a switch whose security groups are as `put_together` makes them."""
    with database.write(author="test") as tx:
        put_together(Lan(tx, project))
    return network_of(database)


def network_of(database: Database) -> Network:
    net = Translated.in_database(database, {"document": "nothing"}).network()
    net.connections = ConnectionTable()
    return net


@pytest.mark.parametrize("version", [4, 6])
def test_members_of_the_default_group_reach_each_other(database: Database, version: int) -> None:
    def groups(lan: Lan) -> None:
        lan.put(default_group(lan.tx, "default"), "a", "b")
        lan.group(ports=["c"])

    net = network(database, groups)
    assert reached(net, tcp("a", "b", version=version)) == ["b"]
    assert reached(net, answer("b", "a", version=version)) == ["a"]
    assert reached(net, tcp("c", "a", version=version)) == []
    # What a member sends may come back, whoever answers.
    assert reached(net, tcp("a", "open", version=version)) == ["open"]
    assert reached(net, answer("open", "a", version=version)) == ["a"]
    assert reached(net, tcp("open", "a", version=version)) == []
    assert reached(net, tcp("a", "c", version=version)) == []


def test_a_rule_lets_in_what_it_says_and_the_answers_out(database: Database) -> None:
    http = Rule("ingress", protocol="tcp", port_min=80, port_max=82)
    net = network(database, lambda lan: [lan.group(ports=["a"]), lan.group(http, ports=["c"])])
    assert reached(net, tcp("a", "c", 79)) == []
    assert reached(net, tcp("a", "c", 83)) == []
    assert reached(net, tcp("a", "c", 80, version=6)) == []
    assert reached(net, packet("a", "c", "udp.dst == 80")) == []
    assert reached(net, tcp("a", "c", 82)) == ["c"]
    assert reached(net, answer("c", "a", 82)) == ["a"]
    assert reached(net, answer("c", "a", 81)) == []


def test_without_egress_rules_only_answers_leave(database: Database) -> None:
    def groups(lan: Lan) -> None:
        group = lan.group(Rule("ingress", protocol="tcp"), ports=["a"])
        for rule_id in lan.egress_rules(group):
            ACLS.delete(lan.tx, rule_id)

    net = network(database, groups)
    assert reached(net, tcp("a", "open")) == []
    assert reached(net, tcp("open", "a")) == ["a"]
    assert reached(net, answer("a", "open")) == ["open"]
    assert reached(net, packet("a", "open", "udp.dst == 53")) == []


def test_without_connection_tracking_answers_need_a_rule(database: Database) -> None:
    http = Rule("ingress", protocol="tcp", port_min=80, port_max=80)
    back = Rule("ingress", protocol="tcp", port_min=40000, port_max=40000)

    def groups(lan: Lan) -> None:
        lan.group(http, ports=["c"], stateful=False)
        lan.group(ports=["a"], stateful=False)
        lan.group(back, ports=["b"], stateful=False)

    net = network(database, groups)
    for sender, hears in (("a", []), ("b", ["b"])):
        assert reached(net, tcp(sender, "c")) == ["c"]
        assert reached(net, answer("c", sender)) == hears
    # A group that tracks connections on the same switch changes nothing of that.
    with database.write(author="test") as tx:
        tracking = new_group(tx, "default", "")
        set_groups(tx, LOGICAL_SWITCH_PORTS.get(tx, "b"), [tracking])
    net = network_of(database)
    assert reached(net, tcp("a", "c")) == ["c"]
    assert reached(net, answer("c", "a")) == []
    assert reached(net, tcp("b", "c")) == ["c"]
    assert reached(net, answer("c", "b")) == ["b"]


def test_ports_in_no_group_get_nothing_but_what_they_need(database: Database) -> None:
    net = network(database, lambda lan: None)
    for version in (4, 6):
        assert reached(net, tcp("a", "open", version=version)) == []
        assert reached(net, tcp("open", "a", version=version)) == []
    arp = (
        f'inport == "a" && eth.src == {mac("a")} && eth.dst == ff:ff:ff:ff:ff:ff && arp.op == 1 '
        f"&& arp.sha == {mac('a')} && arp.spa == 10.0.0.1 && arp.tpa == 10.0.0.7"
    )
    assert reached(net, arp) == ["b", "c", "open"]
    solicitation = packet("a", "b", "nd_ns && ip.ttl == 255", 6).replace("ip.ttl == 64 && ", "")
    assert reached(net, solicitation) == ["b"]


DHCP = {
    4: ("udp.src == 68 && udp.dst == 67", "udp.src == 67 && udp.dst == 68"),
    6: ("udp.src == 546 && udp.dst == 547", "udp.src == 547 && udp.dst == 546"),
}


@pytest.mark.parametrize("version", [4, 6])
def test_dhcp_passes_to_servers_that_may_be_ones(database: Database, version: int) -> None:
    asks, answers = DHCP[version]
    allow_all = (Rule("ingress", "IPv4"), Rule("ingress", "IPv6"))
    net = network(database, lambda lan: lan.group(*allow_all, ports=["b"]))
    assert reached(net, packet("a", "open", asks, version)) == ["open"]
    assert reached(net, packet("open", "a", answers, version)) == ["a"]
    assert reached(net, packet("b", "a", answers, version)) == []
    assert reached(net, packet("b", "a", asks, version)) == []


@pytest.mark.parametrize(
    ("rule", "passing", "stopped"),
    [
        (
            Rule("ingress", protocol="udp", port_min=53, port_max=53),
            "udp.dst == 53",
            "tcp.dst == 53",
        ),
        (Rule("ingress", protocol="17"), "udp.dst == 53", "tcp.dst == 53"),
        (
            Rule("ingress", protocol="sctp", port_min=5, port_max=6),
            "sctp.dst == 6",
            "sctp.dst == 7",
        ),
        (Rule("ingress", protocol="icmp"), "icmp4.type == 13 && icmp4.code == 1", "udp.dst == 1"),
        (
            Rule("ingress", protocol="icmp", port_min=8),
            "icmp4.type == 8 && icmp4.code == 7",
            "icmp4.type == 0 && icmp4.code == 0",
        ),
        (
            Rule("ingress", protocol="icmp", port_min=13, port_max=4),
            "icmp4.type == 13 && icmp4.code == 4",
            "icmp4.type == 13 && icmp4.code == 1",
        ),
        (Rule("ingress", protocol="vrrp"), "ip.proto == 112", "ip.proto == 47"),
        (Rule("ingress", protocol="47"), "ip.proto == 47", "ip.proto == 112"),
        (Rule("ingress", protocol="ip"), "ip.proto == 200", None),
        (Rule("ingress", protocol="udplite"), "ip.proto == 136", "udp.dst == 1"),
        (Rule("ingress", prefix="10.0.0.1/32"), "udp.dst == 1", None),
        (Rule("ingress", prefix="10.0.0.7/29"), "udp.dst == 1", None),
        (Rule("ingress", prefix="0.0.0.0/0"), "udp.dst == 1", None),
        (Rule("ingress", prefix="10.0.0.2/31"), None, "udp.dst == 1"),
    ],
)
def test_rules_by_protocol_and_prefix(
    database: Database, rule: Rule, passing: str | None, stopped: str | None
) -> None:
    net = network(database, lambda lan: [lan.group(ports=["a"]), lan.group(rule, ports=["b"])])
    if passing is not None:
        assert reached(net, packet("a", "b", passing)) == ["b"]
    if stopped is not None:
        assert reached(net, packet("a", "b", stopped)) == []
    assert reached(net, packet("a", "b", "tcp.dst == 80", 6)) == []


@pytest.mark.parametrize(
    ("rule", "passing", "stopped"),
    [
        (
            Rule("ingress", "IPv6", "ipv6-icmp", 128),
            "icmp6.type == 128 && icmp6.code == 0",
            "icmp6.type == 129 && icmp6.code == 0",
        ),
        (Rule("ingress", "IPv6", "tcp", 22, 22), "tcp.dst == 22", "tcp.dst == 23"),
        (Rule("ingress", "IPv6", prefix="fd00::/64"), "tcp.dst == 22", None),
        (Rule("ingress", "IPv6", prefix="fd01::/64"), None, "tcp.dst == 22"),
    ],
)
def test_rules_of_ip6(
    database: Database, rule: Rule, passing: str | None, stopped: str | None
) -> None:
    net = network(database, lambda lan: [lan.group(ports=["a"]), lan.group(rule, ports=["b"])])
    if passing is not None:
        assert reached(net, packet("a", "b", passing, 6)) == ["b"]
    if stopped is not None:
        assert reached(net, packet("a", "b", stopped, 6)) == []
    assert reached(net, tcp("a", "b")) == []


def test_other_ends_are_groups(database: Database) -> None:
    def groups(lan: Lan) -> None:
        clients = lan.group(ports=["a"])
        office = AddressGroups().create(
            lan.tx,
            LOCAL,
            {
                "project_id": "default",
                "name": "",
                "description": "",
                "addresses": ["10.0.0.9/32", "fd00::/124"],
            },
        )
        lan.group(
            Rule("ingress", protocol="tcp", group=clients),
            Rule("ingress", protocol="udp", address_group=office),
            Rule("ingress", "IPv6", address_group=office),
            ports=["c"],
        )
        lan.group(ports=["b"])

    net = network(database, groups)
    assert [reached(net, tcp(each, "c")) for each in ("a", "b", "open")] == [["c"], [], []]
    udp = "udp.dst == 9"
    assert [reached(net, packet(each, "c", udp)) for each in ("a", "open")] == [[], ["c"]]
    assert reached(net, tcp("a", "c", version=6)) == ["c"]


def test_egress_rules_ask_where_to(database: Database) -> None:
    def groups(lan: Lan) -> None:
        servers = lan.group(Rule("ingress"), ports=["c"])
        group = lan.group(
            Rule("egress", protocol="tcp", group=servers),
            Rule("egress", protocol="udp", prefix="10.0.0.9/32"),
            ports=["a"],
        )
        for rule_id in lan.egress_rules(group)[:2]:
            ACLS.delete(lan.tx, rule_id)

    net = network(database, groups)
    assert reached(net, tcp("a", "c")) == ["c"]
    assert reached(net, tcp("a", "open")) == []
    assert reached(net, packet("a", "open", "udp.dst == 9")) == ["open"]
    assert reached(net, packet("a", "c", "udp.dst == 9")) == []


def test_a_port_of_two_groups_may_do_what_either_allows(database: Database) -> None:
    def groups(lan: Lan) -> None:
        ssh = lan.group(Rule("ingress", protocol="tcp", port_min=22, port_max=22))
        http = lan.group(Rule("ingress", protocol="tcp", port_min=80, port_max=80))
        set_groups(lan.tx, lan.ports["a"], [ssh, http])

    net = network(database, groups)
    assert [reached(net, tcp("open", "a", port)) for port in (22, 80, 81)] == [["a"], ["a"], []]


def test_what_a_rule_let_in_ends_with_it(database: Database) -> None:
    http = Rule("ingress", protocol="tcp", port_min=80, port_max=80)
    with database.write(author="test") as tx:
        lan = Lan(tx)
        group = lan.group(http, ports=["a"])
        tx.flush()
        rule_id = next(
            acl.id
            for acl in ACLS.page(tx, {"port_group": group}).items
            if "tcp.dst == 80" in acl.match
        )
    net = network_of(database)
    assert reached(net, tcp("open", "a")) == ["a"]
    assert reached(net, answer("a", "open")) == ["open"]
    known = net.connections
    with database.write(author="test") as tx:
        ACLS.delete(tx, rule_id)
    net = network_of(database)
    net.connections = known
    assert reached(net, tcp("open", "a")) == []
    assert reached(net, answer("a", "open")) == []


def test_groups_of_other_projects(database: Database) -> None:
    """Ports of a project other than `default` go by their ids in flows, and so do groups."""

    def groups(lan: Lan) -> None:
        clients = lan.group(ports=["a"])
        http = Rule("ingress", protocol="tcp", port_min=80, port_max=80, group=clients)
        lan.group(http, ports=["c"])
        # A group of yet another project, which an admin's rule names.
        visitors = new_group(lan.tx, "zoo", "visitors")
        there = Lan(lan.tx, "zoo")
        set_groups(lan.tx, there.ports["b"], [visitors])
        lan.group(Rule("ingress", protocol="udp", group=visitors), ports=["b"])
        ids.update({name: port.id for name, port in lan.ports.items()})

    ids: dict[str, str] = {}
    net = network(database, groups, "acme")

    def sent(text: str) -> list[str]:
        _, sender, rest = text.split('"', 2)
        there = reached(net, f'inport == "{ids[sender]}"{rest}')
        return [name for name, port_id in ids.items() if port_id in there]

    assert sent(tcp("a", "c")) == ["c"]
    assert sent(answer("c", "a")) == ["a"]
    assert sent(tcp("b", "c")) == []
    assert sent(tcp("a", "c", 81)) == []
    assert sent(packet("a", "b", "udp.dst == 9")) == []
    as_visitor = packet("open", "b", "udp.dst == 9").replace("== 10.0.0.9", "== 10.0.0.2", 1)
    assert sent(as_visitor) == ["b"]


def test_a_gateway_answers_who_asks_it(database: Database) -> None:
    gateway = "0a:00:00:00:00:ff"

    def groups(lan: Lan) -> None:
        lan.group(ports=["a"])
        LOGICAL_ROUTERS.create(lan.tx, {"name": "r"})
        LOGICAL_ROUTER_PORTS.create(
            lan.tx,
            {
                "name": "r-lan",
                "logical_router": "r",
                "mac": gateway,
                "networks": ["10.0.0.254/24"],
            },
        )
        values = {"name": "lan-r", "logical_switch": "lan", "type": "router"}
        LOGICAL_SWITCH_PORTS.create(lan.tx, {**values, "router_port": "r-lan"})

    net = network(database, groups)
    ask = (
        f"eth.dst == {gateway} && ip4.dst == 10.0.0.254 && ip.ttl == 64 "
        "&& icmp4.type == 8 && icmp4.code == 0"
    )
    for name, hears in (("a", ["a"]), ("b", [])):
        source = f'inport == "{name}" && eth.src == {mac(name)} && ip4.src == 10.0.0.{HOSTS[name]}'
        assert reached(net, f"{source} && {ask}") == hears
        arp = (
            f'inport == "{name}" && eth.src == {mac(name)} && eth.dst == ff:ff:ff:ff:ff:ff '
            f"&& arp.op == 1 && arp.sha == {mac(name)} && arp.spa == 10.0.0.{HOSTS[name]} "
            "&& arp.tpa == 10.0.0.254"
        )
        assert name in reached(net, arp)
