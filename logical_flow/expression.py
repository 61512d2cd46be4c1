"""Match expressions: their tree, their canonical text, and what they refer to.

The tree is what was written, not what it implies: prerequisites and the meaning of
predicates are added by :mod:`logical_flow.normalise`. Trees are immutable and
compare by value. :func:`logical_flow.match_parser.parse_match` makes them from text,
and ``str(expression)`` gives text that parses to an equal tree.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from logical_flow.constants import Constant, SetReference, String
from logical_flow.fields import FieldSlice, Predicate
from logical_flow.holes import Hole


class Relation(StrEnum):
    """A relational operator."""

    EQ = "=="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="

    @property
    def negated(self) -> "Relation":
        return _NEGATED[self]

    @property
    def turned(self) -> "Relation":
        """The relation that holds when the operands change sides."""
        return _TURNED.get(self, self)


_NEGATED = {
    Relation.EQ: Relation.NE,
    Relation.NE: Relation.EQ,
    Relation.LT: Relation.GE,
    Relation.GE: Relation.LT,
    Relation.LE: Relation.GT,
    Relation.GT: Relation.LE,
}
_TURNED = {
    Relation.LT: Relation.GT,
    Relation.GT: Relation.LT,
    Relation.LE: Relation.GE,
    Relation.GE: Relation.LE,
}


@dataclass(frozen=True, slots=True)
class Literal:
    """``1``, which every packet matches, or ``0``, which none does."""

    value: bool

    def __str__(self) -> str:
        return "1" if self.value else "0"


@dataclass(frozen=True, slots=True)
class BooleanTest:
    """A predicate or a single bit mentioned by name: ``ip4``, ``ct.new``, ``reg0[3]``."""

    subject: Predicate | FieldSlice

    def __str__(self) -> str:
        return self.subject.name if isinstance(self.subject, Predicate) else str(self.subject)


@dataclass(frozen=True, slots=True)
class Comparison:
    """`field` compared with one constant or several.

    With ``==`` one of `constants` has to be equal, with ``!=`` none may be. The other
    relations take exactly one constant.
    """

    field: FieldSlice
    relation: Relation
    constants: tuple[Constant, ...]

    def __str__(self) -> str:
        if len(self.constants) == 1:
            return f"{self.field} {self.relation} {self.constants[0]}"
        return f"{self.field} {self.relation} {{{', '.join(map(str, self.constants))}}}"


@dataclass(frozen=True, slots=True)
class ExpressionHole:
    """A hole of type ``expr``: a whole match, such as an ACL's."""

    hole: Hole

    def __str__(self) -> str:
        return str(self.hole)


@dataclass(frozen=True, slots=True)
class Not:
    operand: "Expression"

    def __str__(self) -> str:
        if isinstance(self.operand, BooleanTest | Literal | ExpressionHole):
            return f"!{self.operand}"
        return f"!({self.operand})"


@dataclass(frozen=True, slots=True)
class And:
    """Two or more operands, none of them an :class:`And`."""

    operands: "tuple[Expression, ...]"

    def __str__(self) -> str:
        return " && ".join(f"({x})" if isinstance(x, Or) else str(x) for x in self.operands)


@dataclass(frozen=True, slots=True)
class Or:
    """Two or more operands, none of them an :class:`Or`."""

    operands: "tuple[Expression, ...]"

    def __str__(self) -> str:
        return " || ".join(f"({x})" if isinstance(x, And) else str(x) for x in self.operands)


Expression = Literal | BooleanTest | Comparison | ExpressionHole | Not | And | Or

TRUE = Literal(True)
FALSE = Literal(False)


def all_of(*operands: Expression) -> Expression:
    """The conjunction of `operands`, flat; of none it is true."""
    flat: list[Expression] = []
    for operand in operands:
        flat.extend(operand.operands if isinstance(operand, And) else (operand,))
    return flat[0] if len(flat) == 1 else And(tuple(flat)) if flat else TRUE


def any_of(*operands: Expression) -> Expression:
    """The disjunction of `operands`, flat; of none it is false."""
    flat: list[Expression] = []
    for operand in operands:
        flat.extend(operand.operands if isinstance(operand, Or) else (operand,))
    return flat[0] if len(flat) == 1 else Or(tuple(flat)) if flat else FALSE


def leaves(
    expression: Expression,
) -> "Iterator[Literal | BooleanTest | Comparison | ExpressionHole]":
    """The expression's parts that have no parts, from left to right."""
    match expression:
        case Not(operand):
            yield from leaves(operand)
        case And(operands) | Or(operands):
            for operand in operands:
                yield from leaves(operand)
        case _:
            yield expression


def set_references(expression: Expression) -> frozenset[SetReference]:
    """The address sets and port groups that the expression names."""
    return frozenset(
        constant
        for leaf in leaves(expression)
        if isinstance(leaf, Comparison)
        for constant in leaf.constants
        if isinstance(constant, SetReference)
    )


def port_names(expression: Expression) -> frozenset[str]:
    """The logical ports that the expression names, without members of port groups."""
    return frozenset(
        constant.value
        for leaf in leaves(expression)
        if isinstance(leaf, Comparison)
        for constant in leaf.constants
        if isinstance(constant, String)
    )


def holes(expression: Expression) -> tuple[Hole, ...]:
    """The holes of the expression in the order in which they first appear."""
    found: dict[Hole, None] = {}
    for leaf in leaves(expression):
        if isinstance(leaf, ExpressionHole):
            found[leaf.hole] = None
        elif isinstance(leaf, Comparison):
            found.update((c, None) for c in leaf.constants if isinstance(c, Hole))
    return tuple(found)
