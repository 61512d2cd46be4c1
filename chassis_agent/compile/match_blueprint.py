"""From the terms of a logical match to the bytes of an OpenFlow match.

What is constant is encoded once. What an argument decides is a gap in the bytes,
except that Open vSwitch writes a full mask, and no mask, by leaving it out: a
match with masked arguments has one layout for each way in which they are full,
partial or empty, made when it is first needed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from chassis_agent.compile.context import PackContext
from chassis_agent.compile.errors import BadTemplateError
from chassis_agent.compile.splice import Arguments, Assembly, Gap, Source, Splice
from chassis_agent.openflow.oxm import FIELDS, Layout, OxmField, Subfield, Term, layout
from chassis_agent.openflow.oxm import Slot as OxmSlot


class Exact(NamedTuple):
    """A part of a field equals an argument; `source` gives all of the field's bytes."""

    where: Subfield
    source: Source


class Masked(NamedTuple):
    """A field fits an argument; `source` gives value, then mask, each field-wide."""

    where: OxmField
    source: Source


Demand = Term | Exact | Masked

_FULL, _PARTIAL, _EMPTY = range(3)


def match_blueprint(demands: Iterable[Demand]) -> "MatchBlueprint":
    """The blueprint of the match that makes all of `demands`."""
    constants: dict[OxmField, Term] = {}
    exact: dict[OxmField, list[Exact]] = {}
    masked: dict[OxmField, Masked] = {}
    for demand in demands:
        match demand:
            case Term(field=where):
                constants[where] = _merged(constants.get(where), demand)
            case Exact(where):
                exact.setdefault(where.field, []).append(demand)
            case Masked():
                for narrow in _halves(demand):
                    if narrow.where in masked:
                        message = f"{narrow.where.name} is matched with two masked arguments"
                        raise BadTemplateError(message)
                    masked[narrow.where] = narrow
    for where in masked:
        if where in constants or where in exact:
            raise BadTemplateError(f"{where.name} is matched with a masked argument and more")
    gaps = [_argument(parts, constants.pop(where, None)) for where, parts in exact.items()]
    return MatchBlueprint(tuple(constants.values()), tuple(gaps), tuple(masked.values()))


class _Argument(NamedTuple):
    """A field some of whose bits are arguments: `source` gives all of the field."""

    field: OxmField
    mask: int
    source: Source


@dataclass(slots=True)
class MatchBlueprint:
    """A match with gaps."""

    _constants: tuple[Term, ...]
    _arguments: tuple[_Argument, ...]
    _masked: tuple[Masked, ...]
    _layouts: dict[tuple[int, ...], Splice] = field(default_factory=dict)
    _only: Splice | None = None

    def __post_init__(self) -> None:
        if not self._masked:
            self._only = self._splice(())

    def fill(self, arguments: Arguments, context: PackContext) -> bytes:
        """The canonical bytes of the match."""
        if self._only is not None:
            return self._only.fill(arguments, context)
        pairs = [_pair(masked, arguments, context) for masked in self._masked]
        shape = tuple([_shape(mask) for _, mask in pairs])
        splice = self._layouts.get(shape)
        if splice is None:
            splice = self._layouts[shape] = self._splice(shape)
        return splice.fill((*arguments, *pairs), context)

    def _splice(self, shape: tuple[int, ...]) -> Splice:
        """The layout for masked arguments of that shape.

        Their values and masks are found as pairs after the flow's own arguments.
        """
        terms = [*self._constants]
        terms += [Term(argument.field, 0, argument.mask) for argument in self._arguments]
        for masked, kind in zip(self._masked, shape, strict=True):
            if kind == _FULL:
                terms.append(Term(masked.where, 0))
            elif kind == _PARTIAL:
                terms.append(Term(masked.where, 0, 1, variable_mask=True))
        laid_out = layout(terms)
        gaps: list[Gap] = []
        for argument in self._arguments:
            gaps += _value_gaps(laid_out, argument.field, argument.source)
        for index, (masked, kind) in enumerate(zip(self._masked, shape, strict=True)):
            position = index - len(self._masked)
            if kind != _EMPTY:
                gaps += _value_gaps(laid_out, masked.where, _half(position, 0))
            if kind == _PARTIAL:
                gaps += _mask_gaps(laid_out, masked.where, _half(position, 1))
        return Splice(Assembly(laid_out.data, tuple(gaps)))


def _halves(masked: Masked) -> list[Masked]:
    """128-bit registers are matched as two of 64 bits, each with a shape of its own."""
    where, source = masked
    if not where.name.startswith("xxreg"):
        return [masked]
    first = 2 * int(where.name.removeprefix("xxreg"))

    def half(index: int) -> Source:
        low, high = 8 * index, 8 * index + 8

        def part(arguments: Arguments, context: PackContext) -> bytes:
            both = source(arguments, context)
            return both[low:high] + both[16 + low : 16 + high]

        return part

    return [Masked(FIELDS[f"xreg{first + index}"], half(index)) for index in range(2)]


def _merged(one: Term | None, other: Term) -> Term:
    if one is None:
        return other
    one_mask = one.field.full_mask if one.mask is None else one.mask
    other_mask = other.field.full_mask if other.mask is None else other.mask
    if (one.value ^ other.value) & one_mask & other_mask:
        raise BadTemplateError(f"two demands on {one.field.name} contradict each other")
    return Term(one.field, one.value | other.value, one_mask | other_mask)


def _argument(parts: Sequence[Exact], base: Term | None) -> _Argument:
    """All that is asked of a field some of whose bits are arguments."""
    where = parts[0].where.field
    if base is None and len(parts) == 1 and parts[0].where.bits == where.bits:
        return _Argument(where, where.full_mask, parts[0].source)
    value, mask = 0, 0
    if base is not None:
        value, mask = base.value, where.full_mask if base.mask is None else base.mask
    sources = []
    for (_, offset, bits), source in parts:
        part_mask = (1 << bits) - 1 << offset
        if mask & part_mask:
            raise BadTemplateError(f"bits of {where.name} are matched twice")
        mask |= part_mask
        sources.append(source)

    def whole_field(arguments: Arguments, context: PackContext) -> bytes:
        bits = value
        for source in sources:
            bits |= int.from_bytes(source(arguments, context))
        return bits.to_bytes(where.size)

    return _Argument(where, mask, whole_field)


def _pair(masked: Masked, arguments: Arguments, context: PackContext) -> tuple[bytes, bytes]:
    """Value and mask, where the mask doesn't select it the value's bits are 0."""
    both = masked.source(arguments, context)
    size = len(both) // 2
    value, mask = both[:size], both[size:]
    clean = (int.from_bytes(value) & int.from_bytes(mask)).to_bytes(size)
    return clean, mask


def _shape(mask: bytes) -> int:
    if mask.count(0xFF) == len(mask):
        return _FULL
    return _EMPTY if not any(mask) else _PARTIAL


def _half(position: int, half: int) -> Source:
    def source(arguments: Arguments, _context: PackContext) -> bytes:
        found: bytes = arguments[position][half]
        return found

    return source


def _part(source: Source, slot: OxmSlot, size: int) -> Source:
    """The bytes of a field that go into `slot`."""
    if slot.source == 0 and slot.length == size:
        return source

    def part(arguments: Arguments, context: PackContext) -> bytes:
        return source(arguments, context)[slot.source : slot.source + slot.length]

    return part


def _value_gaps(laid_out: Layout, where: OxmField, source: Source) -> list[Gap]:
    return [
        Gap(slot.value, slot.length, _part(source, slot, where.size))
        for slot in laid_out.slots[where.name]
    ]


def _mask_gaps(laid_out: Layout, where: OxmField, source: Source) -> list[Gap]:
    return [
        Gap(slot.mask, slot.length, _part(source, slot, where.size))
        for slot in laid_out.slots[where.name]
        if slot.mask is not None
    ]


def metadata_demand() -> Exact:
    """The datapath that a flow belongs to."""
    metadata = FIELDS["metadata"]
    return Exact(
        Subfield(metadata, 0, metadata.bits), lambda _, context: context.datapath_key.to_bytes(8)
    )
