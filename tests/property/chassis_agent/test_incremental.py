"""Whatever the agent is told, in whatever order: it comes to what a full computation gives.

Random edits of a small world of rows and facts, several to a batch: things that
are named before they exist, that go before what names them, that are deleted and
made again in one batch.
"""

from hypothesis import given, settings
from hypothesis import strategies as st

from chassis_agent.compile import ConjunctionIds
from chassis_agent.desired.flow import Flow
from chassis_agent.desired.flow_state import FlowState
from chassis_agent.inputs import Change, LocalPort, NarrowTunnel, ThisChassis, Zone
from southbound import rows
from tests.unit.chassis_agent.tiny_network import (
    MACS,
    Acl,
    Admission,
    Delivery,
    Lookup,
    chassis,
    group,
    templates,
)

PORTS = sorted(MACS)
DATAPATHS = ("ls", "other")
HOSTS = ("", "hv1", "hv2", "hv3")
SETS = ("$bad", "@some")
TEMPLATES = list(templates())


@st.composite
def port_rows(draw: st.DrawFn) -> Change:
    name = draw(st.sampled_from(PORTS))
    if draw(st.booleans()):
        return rows.PortBinding, name, None
    return (
        rows.PortBinding,
        name,
        rows.PortBinding(
            id=f"id-{name}",
            datapath=draw(st.sampled_from(DATAPATHS)),
            name=name,
            tunnel_key=draw(st.integers(1, 4)),
            type=draw(st.sampled_from(("vif", "patch", "teleporter"))),
            multicast=draw(st.sampled_from(((), ("_MC_flood",), ("_MC_flood", "_MC_unknown")))),
            peer=draw(st.sampled_from(PORTS)),
            peer_datapath=draw(st.sampled_from(DATAPATHS)),
            chassis=draw(st.sampled_from(HOSTS)),
        ),
    )


@st.composite
def flow_groups(draw: st.DrawFn) -> Change:
    key = draw(st.integers(1, 5))
    if draw(st.integers(0, 2)) == 0:
        return rows.FlowGroup, key, None
    port = draw(st.sampled_from(PORTS))
    flows = draw(
        st.lists(
            st.sampled_from(
                (
                    Lookup.multicast(),
                    Lookup.unicast(mac=MACS[port], port=port),
                    Admission.known(port=port, mac=MACS[port]),
                    Delivery.deliver(port=port),
                    Acl.refuse(who="$bad"),
                    Acl.refuse_from(who="@some", to="$bad"),
                )
            ),
            max_size=4,
        )
    )
    return rows.FlowGroup, key, group(key, draw(st.sampled_from(DATAPATHS)), *flows)


@st.composite
def members(draw: st.DrawFn) -> Change:
    name = draw(st.sampled_from(SETS))
    of = PORTS if name.startswith("@") else ["198.51.100.1", "198.51.100.2", "203.0.113.0/24"]
    row = rows.SetMember(name, draw(st.sampled_from(of)))
    return rows.SetMember, row.key, draw(st.sampled_from((row, None)))


@st.composite
def learned(draw: st.DrawFn) -> Change:
    port = draw(st.sampled_from(PORTS))
    binding = rows.MacBinding("ls", port, "192.0.2.7", "0a:00:00:00:00:77")
    entry = rows.FdbEntry("ls", "0a:00:00:00:00:78", port)
    row = draw(st.sampled_from((binding, entry)))
    return type(row), row.key, draw(st.sampled_from((row, None)))


def present_or_not(table: type, key: object, row: object) -> st.SearchStrategy[Change]:
    return st.sampled_from(((table, key, row), (table, key, None)))


CHANGES = st.one_of(
    port_rows(),
    flow_groups(),
    members(),
    learned(),
    st.sampled_from(TEMPLATES).flatmap(lambda row: present_or_not(rows.Template, row.id, row)),
    st.sampled_from(DATAPATHS).flatmap(
        lambda key: present_or_not(
            rows.Datapath, key, rows.Datapath(key, "ls", key, 1 + DATAPATHS.index(key))
        )
    ),
    st.sampled_from(HOSTS[1:]).flatmap(
        lambda name: present_or_not(rows.Chassis, name, chassis(name, f"192.0.2.{name[-1]}"))
    ),
    st.sampled_from(PORTS).flatmap(
        lambda name: present_or_not(LocalPort, name, LocalPort(100 + int(name[1:])))
    ),
    st.tuples(st.sampled_from(PORTS), st.integers(1, 9)).map(
        lambda drawn: (Zone, drawn[0], Zone(drawn[1]))
    ),
    st.integers(0, 2).map(lambda ofport: (ThisChassis, "", ThisChassis("hv1", ofport))),
    st.sampled_from(HOSTS[2:]).flatmap(
        lambda name: present_or_not(NarrowTunnel, name, NarrowTunnel(1356))
    ),
)

FURNISHED: list[Change] = [
    *((rows.Template, row.id, row) for row in TEMPLATES),
    *(
        (rows.Datapath, key, rows.Datapath(key, "ls", key, 1 + n))
        for n, key in enumerate(DATAPATHS)
    ),
    (ThisChassis, "", ThisChassis("hv1", 9)),
]


@settings(max_examples=1000)
@given(st.booleans(), st.lists(st.lists(CHANGES, max_size=6), max_size=8))
def test_increments_come_to_the_full_result(furnished: bool, batches: list[list[Change]]) -> None:
    ids = ConjunctionIds()
    state = FlowState(ids.allocate)
    everything: dict[tuple[type, object], object] = {}
    switch: dict[tuple[int, int, bytes], Flow] = {}
    for batch in [FURNISHED, *batches] if furnished else batches:
        state.apply(batch)
        for table, key, row in batch:
            everything[table, key] = row
        changes = state.take_changes()
        for flow in changes.removed:
            del switch[flow.key]
        for flow in changes.added:
            switch[flow.key] = flow
    assert state.self_check() == []
    assert switch == {flow.key: flow for flow in state}
    full = FlowState(ids.allocate)
    full.apply((table, key, row) for (table, key), row in everything.items())
    assert set(full) == set(state)
    assert full.incomplete == state.incomplete
