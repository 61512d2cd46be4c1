"""Whatever a northbound database says, what is imported of it is what Treadle takes.

Names, addresses and references are few, so that rows contradict each other in every way
that OVN's schema allows.
"""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from northbound.apply import apply
from northbound.database import Database, open_database
from tests.databases import new_database
from tests.unit.cli.import_ovn.rows import Database as Northbound
from tests.unit.cli.import_ovn.rows import references

NAMES = st.sampled_from(["a", "b", "a b", "", "_", "a_b"])
TOWARDS_ROUTERS = st.sampled_from(
    [["router"], ["router"], [], ["0a:0:0:0:1:1 10.0.0.1"], ["0a:00:00:00:01:01 10.0.0.9"]]
)
ADDRESSES = st.sampled_from(
    [
        "router",
        "unknown",
        "dynamic",
        "dynamic 10.0.0.9",
        "0a:00:00:00:00:01",
        "0a:00:00:00:00:01 10.0.0.1 fd00::1",
        "0a:00:00:00:00:02 10.0.0.1",
        "0a:00:00:00:00:03 10.0.0.3/24",
        "A:0:0:0:0:7 010.0.0.7 rest",
        "00:00:00:00:00:00 10.0.0.8",
        "nonsense",
    ]
)
GIVEN = st.sampled_from(["", "0a:00:00:00:00:01 10.0.0.1", "0a:00:00:00:00:09 10.0.0.9"])
NETWORKS = st.sampled_from(
    [["10.0.0.1/24"], ["10.0.0.2/24", "fd00::1/64"], ["10.2.0.1/16"], [], ["10.0.0.0/24"]]
)
PREFIXES = st.sampled_from(["0.0.0.0/0", "::/0", "10.2.0.1/16", "10.2.0.0/16", "10.300.0.0/16"])
HOPS = st.sampled_from(["10.0.0.9", "10.9.9.9", "fe80::1", "fd00::9", "discard", "", "a"])
MATCHES = st.sampled_from(
    [
        "ip",
        "1",
        "ip4.src == $a",
        "ip6.src == $b_ip6",
        "outport == @a",
        'outport == "a b" || tcp',
        "ip4.src == $gone",
        "nonsense",
    ]
)
MEMBERS = st.sampled_from(["10.0.0.1", "10.0.0.1/32", "10.0.0.0/8", "fd00::1", "nonsense"])
SWITCH_OPTIONS = st.sampled_from(
    [
        {},
        {"subnet": "10.0.0.0/24"},
        {"subnet": "10.0.0.0/27", "exclude_ips": "10.0.0.2..10.0.0.4 10.9.9.9"},
        {"subnet": "nonsense", "exclude_ips": "10.0.0.2"},
        {"ipv6_prefix": "fd00::"},
    ]
)


def some(values: st.SearchStrategy[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(values, max_size=3)


@st.composite
def northbounds(draw: st.DrawFn) -> Northbound:
    """Rows that refer to each other at random, as OVN's schema allows it and nobody intends."""
    northbound = Northbound()

    def name() -> str:
        return draw(NAMES)

    def optional() -> list[str]:
        return draw(st.lists(NAMES, max_size=1))

    def a_few(uuids: list[str]) -> list[str]:
        return draw(st.lists(st.sampled_from(uuids), unique=True)) if uuids else []

    router_names = draw(st.lists(NAMES, unique=True, min_size=1, max_size=4))
    links = dict(zip(router_names, reversed(router_names), strict=True))
    if draw(st.booleans()):
        links = dict.fromkeys(router_names, "sw")
    router_ports = [
        northbound.router_port(
            name, *draw(NETWORKS), peer=draw(st.sampled_from([[], [links[name]]]))
        )
        for name in router_names
    ]

    def port(name: str) -> str:
        kind = draw(st.sampled_from(["", "", "router", "router", "localnet"]))
        addresses = draw(TOWARDS_ROUTERS if kind == "router" else some(ADDRESSES))
        options = {"router-port": draw(st.sampled_from([*router_names, "sw"]))}
        given = draw(GIVEN)
        return northbound.port(
            name, *addresses, type=kind, dynamic_addresses=given, options=options
        )

    ports = [port(name) for name in draw(st.lists(NAMES, unique=True, min_size=1, max_size=5))]
    acls = [
        northbound.acl(
            draw(MATCHES),
            direction=draw(st.sampled_from(["from-lport", "to-lport"])),
            priority=draw(st.sampled_from([0, 1])),
            action=draw(st.sampled_from(["allow", "drop", "drop"])),
        )
        for _ in range(draw(st.integers(0, 4)))
    ]
    routes = [
        northbound.route(draw(PREFIXES), draw(HOPS), output_port=optional())
        for _ in range(draw(st.integers(0, 4)))
    ]
    for _ in range(draw(st.integers(0, 3))):
        options = draw(SWITCH_OPTIONS)
        acls_here = references(*a_few(acls))
        northbound.switch(*a_few(ports), name=name(), other_config=options, acls=acls_here)
    for _ in range(draw(st.integers(0, 2))):
        routes_here = references(*a_few(routes))
        northbound.router(*a_few(router_ports), name=name(), static_routes=routes_here)
    for own in draw(st.lists(NAMES, unique=True, max_size=3)):
        members, acls_here = references(*a_few(ports)), references(*a_few(acls))
        northbound.add("Port_Group", name=own, ports=members, acls=acls_here)
    for own in draw(st.lists(st.one_of(NAMES, st.just("b_ip6")), unique=True, max_size=3)):
        northbound.add("Address_Set", name=own, addresses=draw(some(MEMBERS)))
    return northbound


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = open_database(new_database(tmp_path_factory.mktemp("import") / "treadle.db"))
    yield database
    database.close()


@given(northbounds())
def test_what_is_imported_is_taken_and_stays(database: Database, northbound: Northbound) -> None:
    document = northbound.translated().document
    with database.write(author="test", dry_run=True) as tx:
        apply(tx, document)
        again = apply(tx, document)
        assert (again.created, again.changed, again.deleted) == ([], [], [])
