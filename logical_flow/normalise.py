"""Matches as a switch can take them: masked fields and conjunctive matches.

:func:`normalise` turns a match into *alternatives*. A packet fits the match when it
fits one of them. Each is a :class:`ConjunctiveMatch`:

* `terms` all have to hold;
* `dimensions` each offer several terms, of which one has to hold.

Without dimensions that is one OpenFlow flow. With one dimension it is one flow for
each of its terms. With several, it is a conjunctive match of Open vSwitch, whose cost
is the sum of the dimensions' sizes and not their product: each term of dimension k is
a flow ``terms && that term`` with ``conjunction(id, k/n)``, and one more flow matches
``conj_id=id && terms``.

The steps: annotate, turn each comparison into a *factor* (a field and the values it
may have), combine factors into *clauses* (factors that all have to hold), and
join clauses that differ in one factor. ``!=`` and the ordered relations become
masked values on the way.

What a compiler to OpenFlow can rely on:

* Nominal integer fields (``eth.type``, ``ip.proto``, …) are in `terms` with one
  value, because a switch wants to see them beside the fields that depend on them. Where
  a match tests one negatively, its copy in a register (:mod:`logical_flow.copies`) is
  tested instead.
* No two terms of `terms` test the same bits, nor does a term of `terms` and one of a
  dimension. Two tests of the same bits that can't be merged, because one of them has
  a hole or a set, are dimensions of their own. Terms may share a field, though:
  merge their masks.
* A :class:`SetTerm` stands for a term a member; members that don't fit the width of
  the field (IPv6 in a 32-bit one) are not terms. See :mod:`logical_flow.members`.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from logical_flow.annotate import annotate
from logical_flow.constants import Constant, Integer, SetReference, String
from logical_flow.copies import COPIES
from logical_flow.errors import TooComplexError
from logical_flow.expression import And, Comparison, Expression, Literal, Or, Relation
from logical_flow.fields import SYMBOLS, Field, FieldSlice, Level
from logical_flow.holes import Hole, HoleType
from logical_flow.masks import (
    ANYTHING,
    Cover,
    Pattern,
    complement_of_all,
    intersection,
    ones,
    range_cover,
    shifted,
    without_redundancy,
)

MAX_CLAUSES = 1024
"""A match that needs more flows than this beside its sets is refused."""

MAX_ALTERNATIVES = 16384
"""A match that tests one field against more values than this is refused."""

MAX_DIMENSIONS = 64
"""Open vSwitch takes no more in a conjunction."""


@dataclass(frozen=True, slots=True)
class MaskedTerm:
    """``field & mask == value``, in bits of the whole field."""

    field: Field
    value: int
    mask: int


@dataclass(frozen=True, slots=True)
class PortTerm:
    """``inport`` or ``outport`` is the port or multicast group of that name."""

    field: Field
    name: str


@dataclass(frozen=True, slots=True)
class HoleTerm:
    """`slice` equals what fills `hole`; masked for the types that carry a mask."""

    slice: FieldSlice
    hole: Hole


@dataclass(frozen=True, slots=True)
class SetTerm:
    """`slice` is one of the set's members, or none of them where `negated`."""

    slice: FieldSlice
    reference: SetReference | Hole
    negated: bool = False


Term = MaskedTerm | PortTerm | HoleTerm | SetTerm
Dimension = tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class ConjunctiveMatch:
    """All of `terms`, and one of each of `dimensions`."""

    terms: tuple[Term, ...]
    dimensions: tuple[Dimension, ...] = ()


_Opaque = HoleTerm | SetTerm
_Alternative = Pattern | str | _Opaque
"""What a field may be: a masked value, a port, or something not known yet."""


@dataclass(frozen=True, slots=True)
class _Factor:
    """The field named `field` is one of `alternatives`."""

    field: str
    alternatives: frozenset[_Alternative]

    @property
    def is_plain(self) -> bool:
        """Whether all alternatives are known, so that it can be intersected."""
        return not any(isinstance(a, _Opaque) for a in self.alternatives)

    @property
    def patterns(self) -> Cover:
        return frozenset(a for a in self.alternatives if isinstance(a, tuple))

    @property
    def bits(self) -> int:
        """The bits of the field that it looks at; of a string, all of them."""
        bits = 0
        for alternative in self.alternatives:
            match alternative:
                case (_, mask):
                    bits |= mask
                case HoleTerm(where) | SetTerm(where) if not where.is_string:
                    bits |= where.mask
                case _:
                    return -1
        return bits


_Clause = frozenset[_Factor]
_ALWAYS: _Clause = frozenset()


def normalise(expression: Expression) -> tuple[ConjunctiveMatch, ...]:
    """The alternatives of a match, none when no packet fits.

    ``expr`` holes have to be filled before. Prerequisites are added here; pass the
    result of :func:`~logical_flow.annotate.annotate_flow` to have those of the flow's
    actions too.
    """
    return tuple(
        alternative
        for clause in sorted(_clauses(annotate(expression)), key=_sort_key)
        for alternative in _conjunctive_matches(clause)
    )


def _clauses(expression: Expression) -> list[_Clause]:
    """The clauses of an annotated expression."""
    match expression:
        case Literal(value):
            return [_ALWAYS] if value else []
        case Comparison():
            clause = _comparison_clause(expression)
            return [] if clause is None else [clause]
        case Or(operands):
            return _joined(clause for operand in operands for clause in _clauses(operand))
        case And(operands):
            found: list[_Clause] = [_ALWAYS]
            for operand in _with_joint_inequalities(operands):
                others = _clauses(operand)
                pairs = (_both(clause, other) for clause in found for other in others)
                found = _joined(clause for clause in pairs if clause is not None)
            return found
    raise ValueError(f"{expression} has to be filled before it can be normalised")


def _with_joint_inequalities(operands: tuple[Expression, ...]) -> list[Expression]:
    """The operands of an :class:`And`, with all ``!=`` of the same bits in one of them.

    Taken together they cost a fraction of what they would one by one.
    """
    unequal: dict[FieldSlice, list[Constant]] = defaultdict(list)
    others: list[Expression] = []
    for operand in operands:
        match operand:
            case Comparison(where, Relation.NE, constants):
                unequal[where].extend(constants)
            case _:
                others.append(operand)
    joint = (Comparison(where, Relation.NE, tuple(c)) for where, c in unequal.items())
    return [*others, *joint]


def _comparison_clause(comparison: Comparison) -> _Clause | None:
    """The comparison as a clause, or None when nothing fits it.

    ``==`` is one factor: any of the constants will do. ``!=`` forbids each of them,
    so that the constants and each set are factors of their own.
    """
    where = comparison.field
    negated = comparison.relation is Relation.NE
    known = frozenset(_known(comparison))
    unknown = [_opaque(where, c, negated) for c in comparison.constants if _is_opaque(c)]
    groups: list[frozenset[_Alternative]]
    if not negated:
        groups = [known.union(unknown)]
    elif len(unknown) == len(comparison.constants):
        groups = [frozenset({term}) for term in unknown]
    else:
        groups = [known, *(frozenset({term}) for term in unknown)]
    if not all(groups):
        return None
    return frozenset(
        _Factor(where.field.name, group) for group in groups if ANYTHING.isdisjoint(group)
    )


def _is_opaque(constant: Constant) -> bool:
    return isinstance(constant, Hole | SetReference)


def _opaque(where: FieldSlice, constant: Constant, negated: bool) -> _Opaque:
    match constant:
        case Hole(type=HoleType.SET) | SetReference():
            return SetTerm(where, constant, negated)
        case Hole():
            return HoleTerm(where, constant)
    raise ValueError(f"{constant} is known")


def _known(comparison: Comparison) -> Iterable[Pattern | str]:
    """What the constants of the comparison leave for its field."""
    where = comparison.field
    everything = ones(where.width)
    if where.is_string:
        return [c.value for c in comparison.constants if isinstance(c, String)]
    patterns = [
        (c.value, everything if c.mask is None else c.mask)
        for c in comparison.constants
        if isinstance(c, Integer)
    ]
    return shifted(_cover(comparison.relation, patterns, where.width), where.field_low)


def _cover(relation: Relation, patterns: list[Pattern], width: int) -> Cover:
    match relation:
        case Relation.EQ:
            return without_redundancy(frozenset(patterns))
        case Relation.NE:
            return complement_of_all(patterns, MAX_ALTERNATIVES)
    ((bound, _),) = patterns
    match relation:
        case Relation.LT:
            return range_cover(0, bound - 1, width)
        case Relation.LE:
            return range_cover(0, bound, width)
        case Relation.GT:
            return range_cover(bound + 1, ones(width), width)
        case Relation.GE:
            return range_cover(bound, ones(width), width)


def _both(left: _Clause, right: _Clause) -> _Clause | None:
    """The clause that holds where both do, or None when they contradict each other."""
    if left <= right:
        return right
    plain: dict[str, _Factor] = {}
    opaque = []
    for factor in left | right:
        if not factor.is_plain:
            opaque.append(factor)
            continue
        other = plain.get(factor.field)
        narrowed = factor if other is None else _intersected(factor, other)
        if narrowed is None:
            return None
        plain[factor.field] = narrowed
    return frozenset([*plain.values(), *opaque])


def _intersected(left: _Factor, right: _Factor) -> _Factor | None:
    alternatives: frozenset[_Alternative]
    if SYMBOLS[left.field] in _STRINGS:
        alternatives = left.alternatives & right.alternatives
    else:
        alternatives = frozenset(intersection(left.patterns, right.patterns, MAX_ALTERNATIVES))
    return _Factor(left.field, alternatives) if alternatives else None


def _joined(clauses: Iterable[_Clause]) -> list[_Clause]:
    """The same alternatives in fewer clauses.

    Clauses that differ in one factor only become one; clauses that another one
    includes go away.
    """
    found = dict.fromkeys(clauses)
    if len(found) > MAX_CLAUSES:
        raise TooComplexError(f"The match needs more than {MAX_CLAUSES} clauses.")
    if len(found) < 2:
        return [*found]
    while (fewer := _join_once(found)) is not None:
        found = fewer
    return [c for c in found if not any(other < c for other in found)]


def _join_once(clauses: dict[_Clause, None]) -> dict[_Clause, None] | None:
    """Join some group of clauses that agree in all but one factor on the same field."""
    groups: dict[tuple[_Clause, str], list[_Factor]] = defaultdict(list)
    for clause in clauses:
        for factor in sorted(clause, key=_factor_key):
            groups[clause - {factor}, factor.field].append(factor)
    taken: set[_Clause] = set()
    made: dict[_Clause, None] = {}
    for (rest, field), factors in groups.items():
        members = {rest | {factor} for factor in factors}
        if len(members) < 2 or not taken.isdisjoint(members):
            continue
        taken |= members
        made[rest | _united(field, factors)] = None
    if not taken:
        return None
    return {clause: None for clause in clauses if clause not in taken} | made


def _united(field: str, factors: list[_Factor]) -> _Clause:
    alternatives = frozenset[_Alternative]().union(*(factor.alternatives for factor in factors))
    if all(isinstance(alternative, tuple) for alternative in alternatives):
        patterns = _Factor(field, alternatives).patterns
        alternatives = frozenset(without_redundancy(patterns))
    return frozenset({_Factor(field, alternatives)})


def _conjunctive_matches(clause: _Clause) -> Iterator[ConjunctiveMatch]:
    """The clause as flows: what has few values multiplied out, the rest as dimensions."""
    clause = frozenset(map(_maskable, clause))
    clashing = _clashing(clause)
    single, crossed, wide = [], [], []
    for factor in sorted(clause, key=_factor_key):
        if factor in clashing:
            wide.append(factor)
        elif len(factor.alternatives) == 1 and not _has_set(factor):
            single.append(factor)
        elif _is_nominal(factor):
            crossed.append(factor)
        else:
            wide.append(factor)
    if not clashing and _is_cheaper_multiplied(wide):
        crossed, wide = [*crossed, *wide], []
    if len(wide) > MAX_DIMENSIONS:
        raise TooComplexError(f"The match needs more than {MAX_DIMENSIONS} dimensions.")
    dimensions = tuple(_terms(factor) for factor in wide)
    shared = tuple(term for factor in single for term in _terms(factor))
    for choice in product(*map(_terms, crossed)):
        yield ConjunctiveMatch(tuple(sorted((*shared, *choice), key=_term_key)), dimensions)


def _maskable(factor: _Factor) -> _Factor:
    """The factor as a switch can test it: by the copy of its field if it takes masks."""
    if not _is_nominal(factor) or not factor.is_plain:
        return factor
    symbol = SYMBOLS[factor.field]
    exact = ones(symbol.width) if isinstance(symbol, Field) else 0
    if all(mask == exact for _, mask in factor.patterns):
        return factor
    copy = COPIES[factor.field]
    return _Factor(copy.field.name, frozenset(shifted(factor.patterns, copy.field_low)))


def _clashing(clause: _Clause) -> set[_Factor]:
    """Factors that test the same bits as another one."""
    by_field: dict[str, list[_Factor]] = defaultdict(list)
    for factor in clause:
        by_field[factor.field].append(factor)
    return {
        factor
        for factors in by_field.values()
        for factor in factors
        if any(other is not factor and other.bits & factor.bits for other in factors)
    }


def _is_cheaper_multiplied(wide: list[_Factor]) -> bool:
    """Whether the product needs no more flows than a conjunction would."""
    if len(wide) < 2:
        return not any(map(_has_set, wide))
    sizes = [len(factor.alternatives) for factor in wide]
    flows = 1
    for size in sizes:
        flows *= size
    return flows <= sum(sizes) + 1 and not any(map(_has_set, wide))


def _has_set(factor: _Factor) -> bool:
    return any(isinstance(alternative, SetTerm) for alternative in factor.alternatives)


def _is_nominal(factor: _Factor) -> bool:
    return SYMBOLS[factor.field] in _NOMINAL_INTEGERS


def _terms(factor: _Factor) -> Dimension:
    symbol = SYMBOLS[factor.field]
    if not isinstance(symbol, Field):
        raise TypeError(f"{factor.field} is not a field")
    return tuple(
        sorted((_term(symbol, alternative) for alternative in factor.alternatives), key=_term_key)
    )


def _term(field: Field, alternative: _Alternative) -> Term:
    match alternative:
        case (value, mask):
            return MaskedTerm(field, value, mask)
        case str(name):
            return PortTerm(field, name)
        case _:
            return alternative


_ORDER = {name: index for index, name in enumerate(SYMBOLS)}
_STRINGS = {s for s in SYMBOLS.values() if isinstance(s, Field) and s.is_string}
_NOMINAL_INTEGERS = {
    s
    for s in SYMBOLS.values()
    if isinstance(s, Field) and s.level is Level.NOMINAL and not s.is_string
}


_TermKey = tuple[int, int, int, int, str]
_FactorKey = tuple[int, list[_TermKey]]


def _term_key(term: Term) -> _TermKey:
    """The order of terms: known before unknown, fields as they are declared."""
    match term:
        case MaskedTerm(field, value, mask):
            return (0, _ORDER[field.name], -mask.bit_count(), value, "")
        case PortTerm(field, name):
            return (0, _ORDER[field.name], 0, 0, name)
        case HoleTerm(where, hole):
            return (1, _ORDER[where.field.name], where.field_low, 0, str(hole))
        case SetTerm(where, reference, negated):
            return (1, _ORDER[where.field.name], where.field_low, negated, str(reference))


@lru_cache(maxsize=4096)
def _factor_key(factor: _Factor) -> _FactorKey:
    return _ORDER[factor.field], [_term_key(term) for term in _terms(factor)]


def _sort_key(clause: _Clause) -> list[_FactorKey]:
    return sorted(map(_factor_key, clause))
