"""Whatever is done to intent, what is derived from it stays right.

Random operations, several to a transaction, many of which are refused: names and
addresses are few, so that edits meet. After each transaction the log replayed must
be the tables, and the claims of addresses and the references of ACLs those that
the objects have.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from logical_flow.acl import parse_acl_match
from northbound.apply import apply
from northbound.database import Database, open_database
from northbound.errors import RequestError
from northbound.ipam import effective
from northbound.models import (
    Acl,
    AclReference,
    AddressClaim,
    LogicalRouterPort,
    LogicalSwitchPort,
)
from northbound.services import SERVICES
from northbound.transaction import Transaction
from tests.databases import new_database
from tests.unit.northbound.test_transactions import images, replay

pytestmark = pytest.mark.timeout(600)
"""Each example makes databases of its own: on a busy machine all of them take minutes."""

Operation = tuple[str, Callable[[Transaction], object]]

SWITCHES = st.sampled_from(["s1", "s2"])
PORTS = st.sampled_from(["p1", "p2", "p3", "a", "b"])
ROUTERS = st.sampled_from(["r1", "r2"])
ROUTER_PORTS = st.sampled_from(["a", "b", "c"])
GROUPS = st.sampled_from(["g1", "g2"])
SETS = st.sampled_from(["n1", "n2"])
SUBNETS = st.sampled_from([None, "10.0.0.0/29", "10.0.1.0/28"])
ADDRESSES = st.sampled_from(
    [
        "dynamic",
        "unknown",
        "0a:00:00:00:00:01 10.0.0.3",
        "0a:00:00:00:00:02 10.0.0.3",
        "0a:00:00:00:00:02 dynamic",
        "dynamic 10.0.1.2",
    ]
)
MATCHES = st.sampled_from(["ip4", "ip4.src == $n1", "outport == @g1 && ip4.dst == $n2"])


def described(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(fields)


SPECS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "logical_switch": described(
        name=SWITCHES, subnet4=SUBNETS, subnet6=st.sampled_from([None, "fd00::/64"])
    ),
    "logical_switch_port": st.one_of(
        described(name=PORTS, logical_switch=SWITCHES, addresses=st.lists(ADDRESSES, max_size=2)),
        described(name=PORTS, logical_switch=SWITCHES, router_port=ROUTER_PORTS),
    ),
    "logical_router": described(name=ROUTERS),
    "logical_router_port": described(
        name=ROUTER_PORTS,
        logical_router=ROUTERS,
        networks=st.sampled_from([["10.0.0.2/29"], ["10.0.1.1/28", "fd00::1/64"]]),
        peer=st.one_of(st.none(), ROUTER_PORTS),
    ),
    "static_route": described(
        logical_router=ROUTERS,
        ip_prefix=st.just("0.0.0.0/0"),
        nexthop=st.sampled_from(["10.0.0.5", "discard"]),
        output_port=st.one_of(st.none(), ROUTER_PORTS),
    ),
    "port_group": described(name=GROUPS, ports=st.lists(PORTS, max_size=3)),
    "address_set": described(
        name=SETS, addresses=st.lists(st.sampled_from(["10.0.0.1", "10.0.0.0/8", "10.0.0.1/32"]))
    ),
    "acl": described(
        port_group=GROUPS,
        direction=st.just("to-lport"),
        priority=st.sampled_from([1, 2]),
        match=MATCHES,
        action=st.sampled_from(["allow", "drop"]),
    ),
}


@st.composite
def operations(draw: st.DrawFn) -> Operation:
    """One operation and what to call it."""
    kind = draw(st.sampled_from(sorted(SPECS)))
    service = SERVICES[kind]
    values = draw(SPECS[kind])
    action = draw(st.sampled_from(["create", "create", "change", "delete", "cascade"]))
    if action == "create":
        return f"create {kind} {values}", lambda tx: service.create(tx, values)
    position = draw(st.integers(0, 3))

    def some(tx: Transaction) -> str:
        found = service.page(tx).items
        return found[position % len(found)].id if found else "nothing"

    if action == "change":
        return f"change {kind} {values}", lambda tx: service.update(tx, some(tx), values)
    cascade = action == "cascade"
    return f"{action} {kind}", lambda tx: service.delete(tx, some(tx), cascade=cascade)


@pytest.fixture(scope="module")
def empty() -> Iterator[Path]:
    with TemporaryDirectory() as directory:
        path = Path(directory) / "empty.db"
        new_database(path)
        yield path


@contextmanager
def fresh(empty: Path) -> Iterator[Database]:
    with TemporaryDirectory() as directory:
        path = Path(directory) / "treadle.db"
        shutil.copy(empty, path)
        database = open_database(str(path))
        yield database
        database.close()


def check(database: Database) -> None:
    assert replay(database) == images(database)
    with database.read() as reader:
        session = reader.session
        router_ports = {port.name: port for port in session.scalars(select(LogicalRouterPort))}
        held = {
            (port.logical_switch_id, address): port.id
            for port in session.scalars(select(LogicalSwitchPort))
            for address in addresses(port, router_ports)
        }
        assert held == {
            (claim.logical_switch_id, claim.address): claim.logical_switch_port_id
            for claim in session.scalars(select(AddressClaim))
        }
        assert {
            (acl.id, target)
            for acl in session.scalars(select(Acl))
            for target in parse_acl_match(acl.match, "to-lport").sets
        } == {(row.acl_id, row.target) for row in session.scalars(select(AclReference))}
        for port in router_ports.values():
            assert port.peer is None or router_ports[port.peer].peer == port.name


def addresses(port: LogicalSwitchPort, router_ports: dict[str, LogicalRouterPort]) -> Iterator[str]:
    if port.router_port is not None:
        yield router_ports[port.router_port].mac
        yield from (net.split("/")[0] for net in router_ports[port.router_port].networks)
    for element in effective(port.addresses, port.dynamic_addresses):
        yield str(element.mac)
        yield from element.ips


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(operations(), min_size=1, max_size=4), min_size=1, max_size=10))
def test_random_transactions(empty: Path, transactions: list[list[Operation]]) -> None:
    with fresh(empty) as database:
        for transaction in transactions:
            with suppress(RequestError), database.write(author="test") as tx:
                for _, operation in transaction:
                    operation(tx)
            check(database)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """A document that can be applied to nothing: each thing is in one place."""
    nowhere = st.none()
    switches: dict[str, Any] = {
        name: {"subnet4": "10.0.1.0/24", "ports": {}}
        for name in draw(st.lists(SWITCHES, unique=True))
    }
    routers: dict[str, Any] = {name: {"ports": {}} for name in draw(st.lists(ROUTERS, unique=True))}
    somewhere = st.one_of(nowhere, st.sampled_from(sorted(switches))) if switches else nowhere
    at_router = st.one_of(nowhere, st.sampled_from(sorted(routers))) if routers else nowhere
    ports = []
    static = draw(st.permutations(["0a:00:00:00:00:01 10.0.1.98", "0a:00:00:00:00:02 10.0.1.99"]))
    for i, name in enumerate(("p1", "p2", "p3")):
        switch = draw(somewhere)
        if switch is not None:
            address = draw(st.sampled_from(["dynamic", "unknown", *static[i : i + 1]]))
            switches[switch]["ports"][name] = {"addresses": [address]}
            ports.append(name)
    uses = draw(st.permutations(["l1", "l2", "link", "link", "", ""]))
    linked: list[str] = []
    for i, (name, use) in enumerate(zip(("a", "b", "c"), uses, strict=False)):
        network = f"10.0.{1 + i}.200/24"
        router = draw(at_router)
        if router is None:
            continue
        entry: dict[str, Any] = {"networks": [network]}
        routers[router]["ports"][name] = entry
        if draw(st.booleans()):
            binding = {"ip": "192.0.2.7", "mac": "0a:00:00:00:00:07"}
            entry["static_mac_bindings"] = [binding]
        if use == "link":
            linked.append(name)
            if len(linked) == 2:
                entry["peer"] = linked[0]
        elif use and switches:
            switch = draw(st.sampled_from(sorted(switches)))
            switches[switch]["ports"][use] = {"router_port": name}
    members = st.lists(st.sampled_from(ports), unique=True) if ports else st.just([])
    acl = {"direction": "to-lport", "action": "drop", "match": "ip4", "priority": 1}
    return {
        "document": "d",
        "logical_switches": switches,
        "logical_routers": routers,
        "port_groups": {
            group: {"ports": draw(members), "acls": draw(st.sampled_from([[], [acl]]))}
            for group in draw(st.lists(GROUPS, unique=True))
        },
        "address_sets": {name: {} for name in draw(st.lists(SETS, unique=True))},
    }


def without_ids(database: Database) -> dict[str, Any]:
    """Everything as its owner described it; what was made up for it is left out."""
    with database.read() as reader:
        return {
            kind: sorted(
                (
                    service.describe(reader, [row])[0] | {"id": None, "mac": None}
                    for row in service.page(reader).items
                ),
                key=str,
            )
            for kind, service in SERVICES.items()
        }


@settings(max_examples=40, deadline=None)
@given(st.lists(documents(), min_size=2, max_size=5))
def test_documents_lead_to_the_same_from_everywhere(
    empty: Path, states: list[dict[str, Any]]
) -> None:
    """What can be applied to nothing can be applied to anything, with the same outcome."""
    with fresh(empty) as database:
        for document in states:
            with fresh(empty) as other:
                with other.write(author="test") as tx:
                    apply(tx, document)
                expected = without_ids(other)
            with database.write(author="test") as tx:
                apply(tx, document)
            assert without_ids(database) == expected
            check(database)
            with database.write(author="test") as tx:
                apply(tx, document)
            assert tx.committed is None
