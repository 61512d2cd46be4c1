"""The engine on a toy world: towns, roads and the derivations over them."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from incremental import Engine, Graph, GraphError, Read, run_steps


class Town(NamedTuple):
    name: str
    people: int


class Visit(NamedTuple):
    guest: str
    town: str


def guests(_key: str, visit: Visit) -> Iterator[tuple[str, str]]:
    yield visit.town, visit.guest


def greeting(read: Read, pair: tuple[str, str]) -> str:
    name, guest = pair
    town = read(Town, name)
    return f"{guest} greets {town.people if town else 'nobody'} in {name}"


def is_lively(read: Read, name: str) -> bool:
    return read.any(guests, name)


def crowd(read: Read, name: str) -> tuple[str, ...]:
    return read.members(guests, name)


def report(read: Read, name: str) -> Iterator[str]:
    town = read(Town, name)
    assert town is not None
    if town.people < 0:
        raise ValueError("negative town")
    yield f"{town.name}: {'lively' if read(is_lively, name) else 'quiet'}"


def no_report(_read: Read, name: str) -> Iterator[str]:
    yield f"{name}: unknown"


def world() -> Graph:
    graph = Graph()
    graph.table(Town)
    graph.table(Visit)
    graph.group(guests, over=Visit, output=True)
    graph.derive(greeting, over=guests, output=True)
    graph.derive(is_lively, over=Town)
    graph.derive(crowd, over=Town)
    graph.derive(report, over=Town, fallback=no_report, output=True)
    return graph


@pytest.fixture
def engine() -> Engine:
    engine = Engine(world())
    engine.load(
        [
            (Town, "ulm", Town("ulm", 10)),
            (Town, "bonn", Town("bonn", 20)),
            (Visit, 1, Visit("ada", "ulm")),
        ]
    )
    return engine


def test_load_derives_everything(engine: Engine) -> None:
    assert engine.rows(greeting) == {("ulm", "ada"): "ada greets 10 in ulm"}
    assert engine.rows(report) == {"ulm": ("ulm: lively",), "bonn": ("bonn: quiet",)}


def test_an_equal_row_changes_nothing(engine: Engine) -> None:
    delta = engine.apply([(Town, "ulm", Town("ulm", 10))])
    assert not delta.outputs
    assert not delta.runs


def test_delete_and_recreate_in_one_batch_changes_nothing(engine: Engine) -> None:
    delta = engine.apply([(Town, "ulm", None), (Town, "ulm", Town("ulm", 10))])
    assert not delta.runs


def test_a_changed_row_reruns_its_readers_only(engine: Engine) -> None:
    delta = engine.apply([(Town, "ulm", Town("ulm", 11))])
    assert delta.runs == {"greeting": 1, "is_lively": 1, "crowd": 1, "report": 1}
    assert delta.of(greeting)["ulm", "ada"].after == "ada greets 11 in ulm"
    assert not delta.of(report), "an equal result is no change"


def test_a_second_contributor_of_an_element_is_silent(engine: Engine) -> None:
    assert not engine.apply([(Visit, 2, Visit("ada", "ulm"))]).runs
    assert not engine.apply([(Visit, 1, None)]).runs
    delta = engine.apply([(Visit, 2, None)])
    assert delta.of(guests) == {("ulm", "ada"): (True, None)}
    assert engine.rows(greeting) == {}


def test_an_element_more_costs_one_derivation_and_its_readers(engine: Engine) -> None:
    delta = engine.apply([(Visit, 2, Visit("eve", "ulm"))])
    assert delta.runs == {"greeting": 1, "crowd": 1}, "liveliness did not change"
    assert engine.rows(crowd)["ulm"] == ("ada", "eve")


def test_a_miss_is_recorded(engine: Engine) -> None:
    engine.apply([(Visit, 2, Visit("eve", "kiel"))])
    assert engine.rows(greeting)["kiel", "eve"] == "eve greets nobody in kiel"
    engine.apply([(Town, "kiel", Town("kiel", 5))])
    assert engine.rows(greeting)["kiel", "eve"] == "eve greets 5 in kiel"
    assert engine.rows(report)["kiel"] == ("kiel: lively",)


def test_the_referent_may_go_first(engine: Engine) -> None:
    engine.apply([(Town, "ulm", None)])
    assert engine.rows(greeting)["ulm", "ada"] == "ada greets nobody in ulm"
    engine.apply([(Visit, 1, None)])
    assert engine.rows(greeting) == {}


def test_a_derivation_that_raises_falls_back_and_recovers(engine: Engine) -> None:
    delta = engine.apply([(Town, "bonn", Town("bonn", -1))])
    assert delta.of(report)["bonn"].after == ("bonn: unknown",)
    assert engine.failures["report", "bonn"].error == "ValueError: negative town"
    assert engine.rows(report)["ulm"] == ("ulm: lively",), "the others run"
    delta = engine.apply([(Town, "bonn", Town("bonn", 1))])
    assert delta.failures == {("report", "bonn"): None}
    assert not engine.failures


def test_a_failure_goes_with_its_row(engine: Engine) -> None:
    engine.apply([(Town, "bonn", Town("bonn", -1))])
    engine.apply([(Town, "bonn", None)])
    assert not engine.failures
    assert "bonn" not in engine.rows(report)


def test_a_projection_that_raises_concerns_its_row_only() -> None:
    def picky(key: str, town: Town) -> Iterator[tuple[str, str]]:
        yield ("small", key) if 100 // town.people > 10 else ("big", key)

    graph = Graph()
    graph.table(Town)
    graph.group(picky, over=Town)
    engine = Engine(graph)
    engine.apply([(Town, "a", Town("a", 0)), (Town, "b", Town("b", 1))])
    assert engine.rows(picky) == {("small", "b"): True}
    assert "ZeroDivisionError" in engine.failures["picky", "a"].error
    engine.apply([(Town, "a", Town("a", 2))])
    assert engine.rows(picky) == {("small", "b"): True, ("small", "a"): True}
    assert not engine.failures


def test_a_failing_fallback_leaves_no_result() -> None:
    def broken(_read: Read, _key: str) -> int:
        raise ValueError("broken")

    graph = Graph()
    graph.table(Town)
    graph.derive(broken, over=Town, fallback=lambda read, key: broken(read, key))
    engine = Engine(graph)
    engine.apply([(Town, "a", Town("a", 0))])
    assert engine.rows(broken) == {}
    assert ("broken", "a") in engine.failures


def test_reads_are_counted(engine: Engine) -> None:
    assert engine.reads(report, "ulm") == 1, "its own row does not count"
    assert engine.reads(greeting, ("ulm", "ada")) == 1
    assert engine.most_reads(report) == 1


def test_nothing_is_remembered_of_what_is_gone(engine: Engine) -> None:
    engine.apply([(Town, "ulm", None), (Town, "bonn", None), (Visit, 1, None)])
    for state in engine._states:
        assert not state.values
        assert not state.slots
        assert not state.any_slots
        assert not state.reads
        assert not state.groups
        assert not state.dirty


def test_full_recomputation_agrees_and_disagreement_is_named(engine: Engine) -> None:
    assert engine.differences() == []
    engine.rows(report)["ulm"] = ("ulm: forged",)
    (difference,) = engine.differences()
    assert (difference.node, difference.key) == ("report", "ulm")
    assert difference.full == ("ulm: lively",)


def test_reading_ahead_is_a_programming_error() -> None:
    def early(read: Read, key: str) -> bool | None:
        return read(is_lively, key)

    graph = Graph()
    graph.table(Town)
    graph.table(Visit)
    graph.group(guests, over=Visit)
    graph.derive(early, over=Town)
    graph.derive(is_lively, over=Town)
    with pytest.raises(GraphError, match="is_lively"):
        Engine(graph).apply([(Town, "ulm", Town("ulm", 1))])


def test_a_node_is_declared_once_and_after_what_it_is_over() -> None:
    graph = Graph()
    graph.table(Town)
    with pytest.raises(GraphError, match="twice"):
        graph.table(Town)
    with pytest.raises(GraphError, match="not declared"):
        graph.group(guests, over=Visit)


def test_only_tables_take_rows(engine: Engine) -> None:
    with pytest.raises(GraphError, match="report"):
        engine.apply([(report, "ulm", ("forged",))])


def test_a_group_may_have_several_sources() -> None:
    def people(_key: str, row: Visit | Town) -> Iterator[tuple[str, str]]:
        if isinstance(row, Visit):
            yield row.town, row.guest
        else:
            yield row.name, "mayor"

    graph = Graph()
    graph.table(Town)
    graph.table(Visit)
    graph.group(people, over=[Town, Visit])
    engine = Engine(graph)
    engine.apply([(Town, "ulm", Town("ulm", 1)), (Visit, 1, Visit("mayor", "ulm"))])
    assert engine.rows(people) == {("ulm", "mayor"): True}
    engine.apply([(Town, "ulm", None)])
    assert engine.rows(people) == {("ulm", "mayor"): True}
    engine.apply([(Visit, 1, None)])
    assert engine.rows(people) == {}


def counting_world(runs: list[str]) -> Graph:
    def counted(_read: Read, name: str) -> str:
        runs.append(name)
        return name

    graph = Graph()
    graph.table(Town)
    graph.derive(counted, over=Town, output=True)
    return graph


TOWNS = [(Town, f"town{n}", Town(f"town{n}", n)) for n in range(100)]


def test_steps_pause_after_so_many_pieces_of_work_and_come_to_the_same() -> None:
    runs: list[str] = []
    graph, size, at_a_time = counting_world(runs), 7, []
    engine = Engine(graph)
    steps, before = engine.steps(TOWNS, size), 0
    while True:
        try:
            next(steps)
        except StopIteration as end:
            delta = end.value
            break
        at_a_time.append(len(runs) - before)
        before = len(runs)
    assert len(runs) == len(TOWNS)
    assert max(at_a_time) == size
    assert len(at_a_time) >= len(TOWNS) / size
    assert delta.outputs == Engine(graph).apply(TOWNS).outputs
    assert run_steps(engine.difference_steps(size)) == []


def test_a_batch_cannot_begin_in_a_pause_of_another_one() -> None:
    engine = Engine(counting_world([]))
    steps = engine.steps(TOWNS, 7)
    next(steps)
    with pytest.raises(GraphError, match="in the middle"):
        engine.apply(TOWNS[:1])
    run_steps(steps)
    assert not engine.apply(TOWNS[:1]).outputs


def test_a_derivation_is_run_where_there_can_be_a_result() -> None:
    def growth(read: Read, key: str) -> int | None:
        town = read(Town, key)
        return None if town is None else 100 // town.people

    def is_small(town: Town) -> bool:
        return 100 // town.people > 10

    graph = Graph()
    graph.table(Town)
    graph.derive(growth, over=Town, where=is_small)
    engine = Engine(graph)
    delta = engine.apply([(Town, "a", Town("a", 1)), (Town, "b", Town("b", 50))])
    assert delta.runs == {"growth": 1}
    assert engine.rows(growth) == {"a": 100}
    engine.apply([(Town, "a", Town("a", 50)), (Town, "b", Town("b", 2))])
    assert engine.rows(growth) == {"b": 50}
    engine.apply([(Town, "b", Town("b", 0))])
    assert engine.rows(growth) == {}, "nothing is known of a row whose condition raises"
    assert "ZeroDivisionError" in engine.failures["growth", "b"].error
    engine.apply([(Town, "b", Town("b", 50))])
    assert not engine.failures


def test_a_group_on_demand_has_pairs_while_it_is_asked_for() -> None:
    projected: list[int] = []

    def visitors(key: int, visit: Visit) -> Iterator[tuple[str, str]]:
        projected.append(key)
        yield visit.town, visit.guest

    def guests_of_small(read: Read, key: str) -> tuple[str, ...]:
        return read.members(visitors, key)

    def is_small(town: Town) -> bool:
        return town.people < 10

    graph = Graph()
    graph.table(Town)
    graph.table(Visit)
    graph.group(visitors, over=Visit, on_demand=True)
    graph.derive(guests_of_small, over=Town, where=is_small)
    engine = Engine(graph)
    engine.apply([(Visit, n, Visit(f"guest{n}", "ulm")) for n in range(3)])
    engine.apply([(Town, "bonn", Town("bonn", 10))])
    assert not projected
    assert engine.rows(visitors) == {}

    engine.apply([(Town, "ulm", Town("ulm", 1))])
    assert projected == [0, 1, 2]
    assert engine.rows(guests_of_small) == {"ulm": ("guest0", "guest1", "guest2")}
    engine.apply([(Visit, 1, None), (Visit, 3, Visit("guest3", "ulm"))])
    assert engine.rows(guests_of_small) == {"ulm": ("guest0", "guest2", "guest3")}
    assert engine.differences() == []

    engine.apply([(Town, "ulm", Town("ulm", 100))])
    assert engine.rows(visitors) == {}
    projected.clear()
    engine.apply([(Visit, 4, Visit("guest4", "ulm"))])
    assert not projected, "nobody asks any more"


def test_a_derivation_within_is_run_for_the_groups_that_are_there() -> None:
    def has_mayor(read: Read, key: str) -> bool | None:
        town = read(Town, key)
        return True if town is not None and town.people else None

    def welcome(_read: Read, pair: tuple[str, str]) -> str:
        return " to ".join(reversed(pair))

    graph = Graph()
    graph.table(Town)
    graph.table(Visit)
    graph.derive(has_mayor, over=Town)
    graph.group(guests, over=Visit, on_demand=True)
    graph.derive(welcome, over=guests, within=has_mayor)
    engine = Engine(graph)
    visits = [(Visit, n, Visit(f"guest{n}", town)) for n, town in enumerate(["ulm", "bonn"])]
    delta = engine.apply([*visits, (Town, "ulm", Town("ulm", 0))])
    assert delta.runs == {"has_mayor": 1}
    delta = engine.apply([(Town, "ulm", Town("ulm", 1))])
    assert delta.runs == {"has_mayor": 1, "welcome": 1}
    assert engine.rows(welcome) == {("ulm", "guest0"): "guest0 to ulm"}
    delta = engine.apply([(Visit, 2, Visit("guest2", "ulm")), (Visit, 3, Visit("guest3", "bonn"))])
    assert delta.runs == {"welcome": 1}, "one visit is of a town that has none"
    assert engine.differences() == []
    engine.apply([(Town, "ulm", None)])
    assert engine.rows(welcome) == engine.rows(guests) == {}


def test_what_is_on_demand_is_declared_so_that_it_is_asked_for() -> None:
    def any_pair(_read: Read, pair: tuple[str, str]) -> str:
        return pair[0]

    graph = Graph()
    graph.table(Visit)
    graph.group(guests, over=Visit, on_demand=True)
    with pytest.raises(GraphError, match="asks for all"):
        graph.derive(any_pair, over=guests)
    with pytest.raises(GraphError, match="not over all of a group"):
        graph.derive(any_pair, over=Visit, within=Visit)
