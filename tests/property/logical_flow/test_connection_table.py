"""The reference connection table against a model that does what a switch may do.

The model is a plain list of connections, searched from front to back. Where a switch chooses,
the model chooses at random. What the table says is known has to be what the model does, whatever
it chose; and where nothing was left to choose so far, the table has to know everything.
"""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from logical_flow.connections import ConnectionTable, State, Translation, translation_record
from logical_flow.endpoints import Range
from logical_flow.evaluate import Value

UDP, ICMP = 17, 1
Ends = tuple[int, int, int, int, int]
"""Protocol, source, source port, destination, destination port."""


def turned(ends: Ends) -> Ends:
    protocol, source, sport, destination, dport = ends
    return protocol, destination, dport, source, sport


@dataclass
class Modelled:
    request: Ends
    translated: Ends
    side: str = ""
    answered: bool = False
    mark: int = 0


@dataclass
class Model:
    """What a switch does; `choose` picks one of several numbers."""

    choose: Any
    connections: list[Modelled] = field(default_factory=list)
    has_chosen: bool = False

    def find(self, ends: Ends) -> tuple[Modelled, bool] | None:
        for connection in self.connections:
            if ends == connection.request:
                return connection, False
            if ends == turned(connection.translated):
                return connection, True
        return None

    def look_up(self, ends: Ends) -> tuple[State, int]:
        found = self.find(ends)
        if found is None:
            return State.TRK | State.NEW, 0
        connection, is_reply = found
        connection.answered |= is_reply
        state = State.TRK | (State.EST if connection.answered else State.NEW)
        return state | (State.RPL if is_reply else State(0)), connection.mark

    def commit(self, ends: Ends, mark: int) -> None:
        found = self.find(ends)
        if found is None:
            self.connections.append(Modelled(ends, ends, mark=mark))
        else:
            found[0].mark = mark

    def translate(self, ends: Ends, to: Translation | None) -> tuple[State, int, Ends]:
        if self.find(ends) is None and to is not None:
            self._translate_new(ends, to)
            if self.find(ends) is None:
                return State.TRK | State.NEW, 0, ends
        state, mark = self.look_up(ends)
        found = self.find(ends)
        if found is None or not found[0].side:
            return state, mark, ends
        connection, is_reply = found
        if is_reply:
            bit = State.DNAT if connection.side == "source" else State.SNAT
            return state | bit, mark, turned(connection.request)
        bit = State.SNAT if connection.side == "source" else State.DNAT
        return state | bit, mark, connection.translated

    def _translate_new(self, ends: Ends, to: Translation) -> None:
        protocol, source, sport, destination, dport = ends
        address = self._one_of(to.addresses)
        port = None if to.ports is None or protocol == ICMP else self._one_of(to.ports)
        if to.side == "source":
            source, sport = address, sport if port is None else port
        else:
            destination, dport = address, dport if port is None else port
        target = protocol, source, sport, destination, dport
        if self._is_taken(target):
            if protocol == ICMP:
                return
            self.has_chosen = True
            free = [p for p in range(1, 30) if not self._is_taken((*target[:2], p, *target[3:]))]
            target = (*target[:2], self.choose(free), *target[3:])
        self.connections.append(Modelled(ends, target, to.side))

    def _is_taken(self, target: Ends) -> bool:
        return self.find(turned(target)) is not None

    def _one_of(self, values: Range) -> int:
        self.has_chosen |= values.first != values.last
        return self.choose(list(range(values.first, values.last + 1)))


def packet_of(ends: Ends) -> dict[str, Value]:
    protocol, source, sport, destination, dport = ends
    packet: dict[str, Value] = {"eth.type": 0x800, "ip.proto": protocol}
    packet |= {"ip4.src": source, "ip4.dst": destination}
    return packet | ({"udp.src": sport, "udp.dst": dport} if protocol == UDP else {"icmp4.type": 8})


_addresses = st.integers(1, 4)
_ports = st.integers(1, 3)
_pings = st.tuples(st.just(ICMP), _addresses, st.just(0), _addresses, st.just(0))
_ends = st.tuples(st.just(UDP), _addresses, _ports, _addresses, _ports) | _pings


@st.composite
def ranges(draw: st.DrawFn, values: st.SearchStrategy[int]) -> Range:
    first = draw(values)
    return Range(first, first + draw(st.sampled_from([0, 0, 1])))


_translations = st.builds(
    Translation,
    st.sampled_from(["source", "destination"]),
    ranges(_addresses),
    st.none() | ranges(_ports),
)
_steps = st.lists(
    st.tuples(
        st.sampled_from(["look up", "commit", "translate", "translate", "answer"]),
        _ends,
        st.none() | _translations,
    ),
    max_size=12,
)


def agree(known: Value, actual: int, model: Model) -> bool:
    return known == actual or (known is None and model.has_chosen)


@given(_steps, st.randoms(use_true_random=False))
def test_what_is_known_is_so(
    steps: list[tuple[str, Ends, Translation | None]], chance: Any
) -> None:
    table, model = ConnectionTable(), Model(chance.choice)
    for mark, (what, some, translation) in enumerate(steps, 1):
        ends = some
        if what == "answer" and model.connections:
            ends = turned(chance.choice(model.connections).translated)
        packet = packet_of(ends)
        if what == "commit":
            model.commit(ends, mark)
            table.commit("z", packet, mark, 0)
        elif what == "translate":
            state, marked, sent = model.translate(ends, translation)
            answer = table.translate("z", packet, translation)
            assert agree(answer.tracked.state, state, model)
            assert agree(answer.tracked.mark, marked, model)
            after = {**packet, **answer.fields}
            for name, value in packet_of(sent).items():
                assert agree(after[name], value, model), name
            again = {**after, **translation_record("z", answer)}
            if answer.connection is not None:
                assert table.translate("z", again, translation).fields == {}
        else:
            state, marked = model.look_up(ends)
            tracked = table.look_up("z", packet)
            assert agree(tracked.state, state, model)
            assert agree(tracked.mark, marked, model)
