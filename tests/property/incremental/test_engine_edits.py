"""Incremental equals full: any edits of a toy world, in any batches."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from incremental import Engine, Graph, Read


class Person(NamedTuple):
    name: str
    friend: str
    hobby: str


class Hobby(NamedTuple):
    name: str
    cost: int


def fans(_key: str, person: Person) -> Iterator[tuple[str, str]]:
    if person.hobby:
        yield person.hobby, person.name


def budget(read: Read, key: str) -> int | None:
    person = read(Person, key)
    hobby = read(Hobby, person.hobby) if person else None
    return None if hobby is None else 100 // hobby.cost


def shared_budget(read: Read, key: str) -> tuple[int | None, int | None]:
    person = read(Person, key)
    return read(budget, key), read(budget, person.friend) if person else None


def bonds(_key: str, row: Person | Hobby) -> Iterator[tuple[str, str]]:
    if isinstance(row, Person):
        yield row.friend, row.name
    else:
        yield row.name, str(row.cost)


def club(read: Read, pair: tuple[str, str]) -> Iterator[str]:
    hobby, name = pair
    yield f"{name} of {len(read.members(fans, hobby))}"
    if read.any(bonds, name):
        yield "has friends"


def admirers(_key: str, person: Person) -> Iterator[tuple[str, str]]:
    if person.hobby == "y" and person.friend == "a":
        raise ValueError("nobody says so")
    yield person.friend, person.name


def fame(read: Read, key: str) -> int:
    return len(read.members(admirers, key))


def is_known(person: Person) -> bool:
    return person.hobby == "x"


def sponsored(read: Read, pair: tuple[str, str]) -> tuple[int | None, bool]:
    friend, name = pair
    return read(budget, friend), read(Person, name) is not None


def discount(read: Read, key: str) -> int | None:
    hobby = read(Hobby, key)
    return None if hobby is None else 60 // hobby.cost


def is_cheap(hobby: Hobby) -> bool:
    return 100 // hobby.cost > 40


def fallback(_read: Read, _key: str) -> int:
    return -1


def world() -> Graph:
    graph = Graph()
    graph.table(Person)
    graph.table(Hobby)
    graph.group(fans, over=Person)
    graph.group(bonds, over=[Person, Hobby], output=True)
    graph.derive(budget, over=Person, fallback=fallback, output=True)
    graph.derive(shared_budget, over=Person, output=True)
    graph.derive(club, over=fans, output=True)
    graph.group(admirers, over=Person, on_demand=True)
    graph.derive(fame, over=Person, where=is_known, output=True)
    graph.derive(sponsored, over=admirers, within=budget, output=True)
    graph.derive(discount, over=Hobby, where=is_cheap, output=True)
    return graph


KEYS = st.sampled_from(["a", "b", "c", "d"])
HOBBIES = st.sampled_from(["", "x", "y"])
PEOPLE = st.builds(Person, KEYS, KEYS, HOBBIES)
EDITS = st.one_of(
    st.tuples(st.just(Person), KEYS, st.none() | PEOPLE),
    st.tuples(
        st.just(Hobby),
        HOBBIES,
        st.none() | st.builds(Hobby, HOBBIES, st.integers(0, 3)),
    ),
)
BATCHES = st.lists(st.lists(EDITS, max_size=6), max_size=8)
OUTPUTS = (bonds, budget, shared_budget, club, fame, sponsored, discount)


@settings(max_examples=500, deadline=None)
@given(BATCHES)
def test_incremental_equals_full(batches: list[list[tuple[Any, Any, Any]]]) -> None:
    engine = Engine(world())
    mirror: dict[Any, dict[Any, Any]] = {source: {} for source in OUTPUTS}
    for batch in batches:
        delta = engine.apply(batch)
        for source in OUTPUTS:
            for key, (before, after) in delta.of(source).items():
                assert mirror[source].get(key) == before != after
                if after is None:
                    del mirror[source][key]
                else:
                    mirror[source][key] = after
            assert mirror[source] == engine.rows(source)
        assert engine.differences() == []


def everything(engine: Engine) -> list[Any]:
    """All that the engine remembers, down to who reads what."""

    def readers(slots: dict[Any, Any]) -> Any:
        return {key: {(s.node.name, k) for s, k in slot} for key, slot in slots.items()}

    return [
        (
            dict(state.values),
            {group: dict(elements) for group, elements in state.groups.items()},
            readers(state.slots),
            readers(state.any_slots),
            dict(state.dirty),
            dict(state.changed),
        )
        for state in engine._states
    ] + [{key: failure.error for key, failure in engine.failures.items()}]


@settings(max_examples=500, deadline=None)
@given(BATCHES, BATCHES)
def test_what_if_tells_what_would_change_and_changes_nothing(
    batches: list[list[tuple[Any, Any, Any]]], others: list[list[tuple[Any, Any, Any]]]
) -> None:
    engine = Engine(world())
    for batch in batches:
        engine.apply(batch)
    for other in others:
        before = everything(engine)
        expected = engine.what_if(other)
        assert everything(engine) == before
        delta = engine.apply(other)
        assert expected.outputs == delta.outputs
        assert {k: f and f.error for k, f in expected.failures.items()} == {
            k: f and f.error for k, f in delta.failures.items()
        }


@settings(max_examples=200, deadline=None)
@given(BATCHES)
def test_nothing_is_left_of_what_is_gone(batches: list[list[tuple[Any, Any, Any]]]) -> None:
    engine = Engine(world())
    for batch in batches:
        engine.apply(batch)
    engine.apply([(source, key, None) for source in (Person, Hobby) for key in engine.rows(source)])
    assert not engine.failures
    for state in engine._states:
        assert not state.values
        assert not state.groups
        assert not state.slots
        assert not state.any_slots
        assert not state.reads
