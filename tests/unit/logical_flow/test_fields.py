"""The symbol table holds together."""

import pytest

from logical_flow.expression import BooleanTest, Comparison, Expression, leaves
from logical_flow.fields import (
    SYMBOLS,
    Field,
    FieldSlice,
    Level,
    Predicate,
    Subfield,
    field,
    field_slice,
)
from logical_flow.match_parser import parse_match

PREDICATES = [symbol for symbol in SYMBOLS.values() if isinstance(symbol, Predicate)]
WITH_PREREQUISITES = [
    symbol
    for symbol in SYMBOLS.values()
    if isinstance(symbol, Field | Subfield) and symbol.prerequisites
]


def is_nominal(expression: Expression) -> bool:
    for leaf in leaves(expression):
        match leaf:
            case Comparison(where) if where.symbol.level is Level.NOMINAL:
                return True
            case BooleanTest(Predicate(level=Level.NOMINAL)):
                return True
    return False


@pytest.mark.parametrize("predicate", PREDICATES, ids=lambda predicate: predicate.name)
def test_a_predicate_is_nominal_when_what_it_stands_for_is(predicate: Predicate) -> None:
    assert is_nominal(parse_match(predicate.expansion)) is (predicate.level is Level.NOMINAL)


@pytest.mark.parametrize("symbol", WITH_PREREQUISITES, ids=lambda symbol: symbol.name)
def test_prerequisites_are_matches(symbol: Field | Subfield) -> None:
    parse_match(symbol.prerequisites)


@pytest.mark.parametrize(
    ("register", "wide", "low"),
    [
        ("reg0", "xxreg0", 96),
        ("reg3", "xxreg0", 0),
        ("reg4", "xxreg1", 96),
        ("reg7", "xxreg1", 0),
        ("reg8", "xreg4", 32),
        ("reg9", "xreg4", 0),
        ("xreg0", "xxreg0", 64),
        ("xreg1", "xxreg0", 0),
        ("xreg3", "xxreg1", 0),
    ],
)
def test_registers_overlay_each_other_as_in_open_vswitch(
    register: str, wide: str, low: int
) -> None:
    where = field_slice(register)
    assert (where.field.name, where.field_low) == (wide, low)


def test_a_slice_of_a_subfield_knows_its_place_in_the_field() -> None:
    where = FieldSlice(field_slice("vlan.pcp").symbol, 1, 2)
    assert str(where) == "vlan.pcp[1..2]"
    assert where.mask == 0xC000


def test_asking_for_what_is_no_field_is_an_error() -> None:
    with pytest.raises(TypeError):
        field("ip4")
    with pytest.raises(TypeError):
        field_slice("ip4")
