"""Random expressions and actions that the language allows, as trees."""

from hypothesis import strategies as st

from logical_flow.action import (
    SEVERITIES,
    VERDICTS,
    Action,
    Assign,
    Clone,
    CtClear,
    CtCommit,
    CtNext,
    DecrementTtl,
    Drop,
    Exchange,
    Generate,
    GetFdb,
    GetNeighbour,
    Log,
    LookupFdb,
    LookupNeighbour,
    Move,
    Next,
    Output,
    PacketKind,
    PutFdb,
    PutNeighbour,
    SetMeter,
)
from logical_flow.constants import Form, Integer, SetReference, String
from logical_flow.expression import (
    And,
    BooleanTest,
    Comparison,
    Expression,
    Literal,
    Not,
    Or,
    Relation,
)
from logical_flow.fields import (
    SYMBOLS,
    Access,
    Field,
    FieldSlice,
    Level,
    Predicate,
    Subfield,
    field_slice,
)
from tests.unit.logical_flow.action_samples import samples

_FIELDS = [symbol for symbol in SYMBOLS.values() if isinstance(symbol, Field | Subfield)]
_PREDICATES = [symbol for symbol in SYMBOLS.values() if isinstance(symbol, Predicate)]
_STRINGS = [symbol for symbol in _FIELDS if symbol.is_string]
_INTEGERS = [symbol for symbol in _FIELDS if not symbol.is_string]
_ORDINALS = [symbol for symbol in _INTEGERS if symbol.level is Level.ORDINAL]
_FORM_WIDTHS = {Form.ETHERNET: 48, Form.IPV4: 32, Form.IPV6: 128}

names = st.from_regex(r"[A-Za-z_.][A-Za-z0-9_.-]{0,8}", fullmatch=True)
strings = st.text(max_size=8).map(String)


@st.composite
def ordinal_slices(draw: st.DrawFn, symbols: list[Field | Subfield] = _ORDINALS) -> FieldSlice:
    symbol = draw(st.sampled_from(symbols))
    low = draw(st.integers(0, symbol.width - 1))
    return FieldSlice(symbol, low, draw(st.integers(1, symbol.width - low)))


integer_slices = st.one_of(
    ordinal_slices(),
    st.sampled_from([FieldSlice.whole(symbol) for symbol in _INTEGERS]),
)


@st.composite
def integers(draw: st.DrawFn, width: int, *, masked: bool = False) -> Integer:
    forms = [form for form in Form if _FORM_WIDTHS.get(form, width) <= width]
    form = draw(st.sampled_from(forms))
    top = (1 << min(width, _FORM_WIDTHS.get(form, width))) - 1
    value = draw(st.integers(0, top))
    if not masked or draw(st.booleans()):
        return Integer(value, None, form)
    mask = draw(st.integers(0, top))
    return Integer(value & mask, mask, form)


@st.composite
def comparisons(draw: st.DrawFn, positive: bool) -> Comparison:
    where = draw(st.one_of(integer_slices, st.sampled_from(_STRINGS).map(FieldSlice.whole)))
    equality = Relation.EQ if positive else Relation.NE
    if where.is_string:
        port_groups = names.map(lambda name: SetReference("@", name))
        ports = draw(st.lists(strings | port_groups, min_size=1, max_size=3))
        return Comparison(where, equality, tuple(ports))
    if where.symbol.level is Level.NOMINAL:
        numbers = draw(st.lists(integers(where.width), min_size=1, max_size=3))
        return Comparison(where, equality, tuple(numbers))
    relation = draw(st.sampled_from(Relation))
    if relation not in (Relation.EQ, Relation.NE):
        return Comparison(where, relation, (draw(integers(where.width)),))
    constants: st.SearchStrategy[Integer | SetReference] = integers(where.width, masked=True)
    if where.width in (32, 48, 128):
        constants = constants | names.map(lambda name: SetReference("$", name))
    found = draw(st.lists(constants, min_size=1, max_size=3))
    return Comparison(where, relation, tuple(found))


@st.composite
def tests_of_bits(draw: st.DrawFn, positive: bool) -> BooleanTest:
    if draw(st.booleans()):
        where = draw(ordinal_slices())
        return BooleanTest(FieldSlice(where.symbol, where.low, 1))
    allowed = [p for p in _PREDICATES if positive or p.level is Level.BOOLEAN]
    return BooleanTest(draw(st.sampled_from(allowed)))


@st.composite
def expressions(draw: st.DrawFn, positive: bool = True, depth: int = 3) -> Expression:
    """An expression that is allowed under an even (`positive`) or odd number of ``!``."""
    kind = draw(st.integers(0, 6 if depth else 3))
    match kind:
        case 0:
            return Literal(draw(st.booleans()))
        case 1:
            return draw(tests_of_bits(positive))
        case 2 | 3:
            return draw(comparisons(positive))
        case 4:
            return Not(draw(expressions(not positive, depth - 1)))
    join: type[And] | type[Or] = And if kind == 5 else Or
    operands = st.lists(
        expressions(positive, depth - 1).filter(lambda operand: not isinstance(operand, join)),
        min_size=2,
        max_size=3,
    )
    return join(tuple(draw(operands)))


def _writable(access: Access) -> list[Field | Subfield]:
    return [symbol for symbol in _FIELDS if symbol.access is access]


def _slices(symbols: list[Field | Subfield], width: int | None = None) -> list[FieldSlice]:
    return [FieldSlice.whole(s) for s in symbols if width is None or s.width == width]


_TARGETS = _slices(_writable(Access.ANYWHERE) + _writable(Access.INGRESS))
_TARGETS_IN_COMMIT = _slices(_writable(Access.CT_COMMIT))
_PORTS = st.sampled_from(_slices(_STRINGS))
_MACS = st.sampled_from(_slices(_FIELDS, 48))
_BITS = st.sampled_from([FieldSlice(field_slice("reg0").symbol, bit, 1) for bit in range(32)])


def _sources(target: FieldSlice) -> list[FieldSlice]:
    return _slices(_STRINGS) if target.is_string else _slices(_INTEGERS, target.width)


@st.composite
def assignments(draw: st.DrawFn, targets: list[FieldSlice] = _TARGETS) -> Assign | Move:
    target = draw(st.sampled_from(targets))
    sources = _sources(target)
    if sources and draw(st.booleans()):
        return Move(target, draw(st.sampled_from(sources)))
    if target.is_string:
        return Assign(target, draw(strings))
    masked = target.symbol.level is Level.ORDINAL
    return Assign(target, draw(integers(target.width, masked=masked)))


@st.composite
def exchanges(draw: st.DrawFn) -> Exchange:
    left = draw(st.sampled_from(_TARGETS))
    return Exchange(left, draw(st.sampled_from([t for t in _TARGETS if t.width == left.width])))


@st.composite
def neighbour_actions(draw: st.DrawFn) -> Action:
    family, width = draw(st.sampled_from([(4, 32), (6, 128)]))
    port, mac = draw(_PORTS), draw(_MACS)
    address = draw(st.sampled_from(_slices(_INTEGERS, width)))
    match draw(st.integers(0, 2)):
        case 0:
            return GetNeighbour(family, port, address)
        case 1:
            return PutNeighbour(family, port, address, mac)
    return LookupNeighbour(draw(_BITS), family, port, address, mac)


_TEXTS = st.none() | st.text(max_size=8)
_logs = st.builds(
    Log,
    name=_TEXTS,
    severity=st.none() | st.sampled_from(SEVERITIES),
    verdict=st.none() | st.sampled_from(VERDICTS),
    meter=_TEXTS,
)
_plain = st.one_of(
    st.sampled_from([Output(), CtClear(), DecrementTtl()]),
    assignments(),
    exchanges(),
    neighbour_actions(),
    st.builds(GetFdb, _PORTS, _MACS),
    st.builds(PutFdb, _PORTS, _MACS),
    st.builds(LookupFdb, _BITS, _PORTS, _MACS),
    _logs,
    st.builds(SetMeter, integers(32), st.none() | integers(32)),
    st.lists(assignments(_TARGETS_IN_COMMIT), max_size=3).map(lambda a: CtCommit(tuple(a))),
)
_stages = st.from_regex(r"l[sr]_(in|out)_[a-z0-9_]{1,8}", fullmatch=True)
_last = st.sampled_from([Next(), CtNext()]) | st.builds(Next, _stages)
_plain |= st.sampled_from([sample for sample in samples() if not sample.ends_list])
_last |= st.sampled_from([s for s in samples() if s.ends_list and not isinstance(s, Drop)])


@st.composite
def actions(draw: st.DrawFn, depth: int = 2) -> tuple[Action, ...]:
    one: st.SearchStrategy[Action] = _plain
    if depth:
        nested = actions(depth - 1)
        one |= st.builds(Clone, nested) | st.builds(Generate, st.sampled_from(PacketKind), nested)
    found = draw(st.lists(one, max_size=4)) + draw(st.lists(_last, max_size=1))
    return tuple(found) or (Drop(),)
