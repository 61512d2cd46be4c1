"""A template, compiled: flow blueprints, and how arguments become flows.

A match becomes *alternatives*, each all of its terms and one of each of its
*dimensions* (:mod:`logical_flow.normalise`):

- without dimensions, an alternative is one flow;
- with one, it is a flow for each of the dimension's terms, and for each member
  where the term is a set;
- with more, it is a conjunction: such flows a dimension, whose action is a
  clause `conjunction(id, k/n)`, and a flow for `conj_id=id`.

Arguments that are more than bytes to fill in (an ACL's match, what a log line
says) specialise a template. Each specialisation is compiled once, with the names of
sets left open: ACLs that are alike but for their port groups share one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from chassis_agent.compile.context import PackContext
from chassis_agent.compile.encoders import encode_actions
from chassis_agent.compile.errors import BadArgumentsError, BadTemplateError
from chassis_agent.compile.fields import demands, subfield
from chassis_agent.compile.hits import count_hit
from chassis_agent.compile.match_blueprint import (
    Demand,
    Exact,
    Masked,
    MatchBlueprint,
    match_blueprint,
    metadata_demand,
)
from chassis_agent.compile.ports import output_key_source, port_source
from chassis_agent.compile.sets import FlowsBySet, SetUse
from chassis_agent.compile.splice import (
    Arguments,
    Assembly,
    Source,
    Splice,
    concatenated,
    part_source,
)
from chassis_agent.desired.flow import Flow
from chassis_agent.openflow import actions as act
from chassis_agent.openflow.oxm import FIELDS, whole
from logical_flow.action import decode_watched, every_action
from logical_flow.action.implied import annotate_flow
from logical_flow.binding import fill_expressions
from logical_flow.constants import SetReference
from logical_flow.errors import LogicalFlowError, TemplateError
from logical_flow.holes import VARIABLE_HOLES, Hole, HoleType
from logical_flow.normalise import (
    ConjunctiveMatch,
    Dimension,
    HoleTerm,
    MaskedTerm,
    PortTerm,
    SetTerm,
    Term,
    normalise,
)
from logical_flow.roles import Role, role_of
from logical_flow.set_names import open_position, open_set_names
from logical_flow.template import (
    MAX_PRIORITY,
    Alive,
    Local,
    Priority,
    Resident,
    Template,
    TemplateText,
)
from logical_flow.variables import fill_variables
from southbound import rows

SPECIALISATIONS_KEPT = 4096
"""How many compiled forms of all templates together are remembered."""

_CONJUNCTION_ID = FIELDS["conj_id"]


@dataclass(frozen=True, slots=True)
class _Piece:
    """One term of a dimension: a match, repeated for each member if it has a set."""

    match: MatchBlueprint
    members: SetUse | None


@dataclass(frozen=True, slots=True)
class _Alternative:
    """A flow, the flows of one dimension, or a conjunction of several."""

    match: MatchBlueprint
    dimensions: tuple[tuple[_Piece, ...], ...]


@dataclass(frozen=True, slots=True)
class _Body:
    """A specialisation: all that depends on the text of match and actions."""

    alternatives: tuple[_Alternative, ...]
    instructions: Splice


class PackedParts(NamedTuple):
    """The flows of a logical flow, and what is a flow for each member of a set."""

    flows: list[Flow]
    by_set: list[FlowsBySet]


class CompiledTemplate:
    """A template from which flows are packed."""

    def __init__(self, template: Template) -> None:
        self.template = template
        self.text = template.as_text()
        self._positions = {hole.name: i for i, hole in enumerate(template.arguments)}
        self._numeric = tuple(
            i for i, hole in enumerate(template.arguments) if hole.type in VARIABLE_HOLES
        )
        self._special = tuple(self._positions[name] for name in _specialising(template))
        self._added = len(self._positions) + bool(self._special)
        self._priority = self._priority_of(template.priority)
        only = template.only
        self._local = self._positions[only.hole] if isinstance(only, Local) else None
        self._resident = self._positions[only.hole] if isinstance(only, Resident) else None
        self._alive = self._positions[only.hole] if isinstance(only, Alive) else None

    def __eq__(self, other: object) -> bool:
        """A template's id is the hash of its content: equal ids pack equally.

        Where the stage stands is the context's to say.
        """
        return isinstance(other, CompiledTemplate) and (
            (other.template.id, other.template.role) == (self.template.id, self.template.role)
        )

    def __hash__(self) -> int:
        return self.template.id

    def pack(self, arguments: Arguments, context: PackContext, cookie: int) -> list[Flow]:
        """The flows of one logical flow on this chassis, each once.

        Raises `UnknownPortError` for a port that isn't known.
        """
        packed = self.pack_parts(arguments, context, cookie)
        flows: dict[Flow, None] = {}
        for each in packed.by_set:
            for member in context.members(each.set):
                flow = each.flow(member, context)
                if flow is not None:
                    flows[flow] = None
        return [*flows, *packed.flows]

    def pack_parts(self, arguments: Arguments, context: PackContext, cookie: int) -> "PackedParts":
        """As `pack`, with the flows of members of sets left to be made, member by member.

        Raises :class:`~logical_flow.errors.UnresolvedError` for a variable that has no value on
        this chassis that fits.
        """
        parts = PackedParts([], [])
        if len(arguments) != len(self._positions):
            message = f"{self.template!r} takes {len(self._positions)} arguments: {arguments!r}"
            raise BadArgumentsError(message)
        if self._local is not None and not context.is_local(arguments[self._local]):
            return parts
        if self._resident is not None and not context.is_resident(arguments[self._resident]):
            return parts
        if self._alive is not None and not _has_alive(arguments[self._alive], context):
            return parts
        for position in self._numeric:
            if type(arguments[position]) is str:
                holes = self.template.arguments
                arguments = fill_variables(holes, arguments, context.variable)
                break
        body, filling = self._specialised(arguments) if self._special else (self._plain, arguments)
        table = context.book.table(self.template.stage)
        priority = self._priority(arguments) if callable(self._priority) else self._priority
        instructions = body.instructions.fill(filling, context)
        for index, alternative in enumerate(body.alternatives):
            dimensions = alternative.dimensions
            if not dimensions:
                match = alternative.match.fill(filling, context)
                parts.flows.append(Flow(table, priority, match, instructions, cookie))
                continue
            packing = _Packing(self, arguments, filling, table, priority, cookie, context, parts)
            if len(dimensions) == 1:
                packing.add_dimension((index, 0), dimensions[0], instructions)
            else:
                identity = repr((context.datapath_key, self.template.id, arguments, index))
                number = context.conjunction_id(identity.encode())
                for clause, dimension in enumerate(dimensions, 1):
                    states = act.apply_actions(act.conjunction(number, clause, len(dimensions)))
                    packing.add_dimension((index, clause), dimension, states)
                match = alternative.match.fill((*filling, number.to_bytes(4)), context)
                parts.flows.append(Flow(table, priority, match, instructions, cookie))
        return parts

    def _specialised(self, arguments: Arguments) -> tuple[_Body, Arguments]:
        """A flow's own body, and what fills it: the arguments, then the names left open."""
        values: list[Any] = []
        names: list[str] = []
        for position in self._special:
            value = arguments[position]
            if self.template.arguments[position].type is HoleType.EXPR:
                value = open_set_names(value, names)
            values.append(value)
        return _specialised_body(self, tuple(values)), (*arguments, names)

    @cached_property
    def _plain(self) -> _Body:
        """The body of all flows where nothing specialises; most templates are never used."""
        return self.specialise(())

    def specialise(self, values: tuple[Any, ...]) -> _Body:
        """Compile match and actions with the specialising holes filled."""
        given = {
            self.template.arguments[position].name: value
            for position, value in zip(self._special, values, strict=True)
        }
        try:
            return self._compile(given)
        except LogicalFlowError as error:
            raise BadTemplateError(f"{self.template!r}: {error}") from error

    def _compile(self, given: dict[str, Any]) -> _Body:
        template = self.template
        actions = tuple(action.bind_early(given) for action in template.actions)
        match = fill_expressions(template.match, given)
        compiled = encode_actions(
            actions, template.pipeline, template.stage, self._positions, template.id
        )
        if template.role is Role.ACL:
            compiled = concatenated([count_hit(), compiled])
        alternatives = normalise(annotate_flow(match, actions))
        return _Body(
            tuple(self._alternative(alternative) for alternative in alternatives),
            Splice(Assembly() if compiled == Assembly() else compiled.inside(act.apply_actions)),
        )

    def _alternative(self, alternative: ConjunctiveMatch) -> _Alternative:
        shared: list[Demand] = [metadata_demand()]
        for term in alternative.terms:
            shared += self._demands(term)
        dimensions = tuple(self._dimension(d, shared) for d in alternative.dimensions)
        if len(dimensions) > 1:
            position = self._added
            shared.append(Exact(whole(_CONJUNCTION_ID), lambda arguments, _: arguments[position]))
        return _Alternative(match_blueprint(shared), dimensions)

    def _dimension(self, dimension: Dimension, shared: list[Demand]) -> tuple[_Piece, ...]:
        return tuple(
            _Piece(match_blueprint([*shared, *self._demands(term)]), self._set_use(term))
            for term in dimension
        )

    def _demands(self, term: Term) -> list[Demand]:
        match term:
            case MaskedTerm(field, value, mask):
                return [*demands(field, value, mask)]
            case PortTerm(field, name):
                where = whole(FIELDS["reg14" if field.name == "inport" else "reg15"])
                return [Exact(where, output_key_source(name))]
            case HoleTerm():
                return [self._hole_demand(term)]
            case SetTerm(where_) if where_.is_string:
                return [Exact(subfield(where_), self._member())]
            case SetTerm(where_):
                where = subfield(where_)
                if where.bits != where.field.bits:
                    raise BadTemplateError(f"{where_} is a part of a field, matched with a set")
                return [Masked(where.field, self._member())]

    def _hole_demand(self, term: HoleTerm) -> Demand:
        where, hole = subfield(term.slice), term.hole
        position = self._positions[hole.name]
        match hole.type:
            case HoleType.LPORT | HoleType.MCGROUP:
                return Exact(where, port_source(position))
            case HoleType.CIDR4 | HoleType.CIDR6 if where.bits == where.field.bits:
                return Masked(where.field, lambda arguments, _: arguments[position])
            case HoleType.MAC | HoleType.IP4 | HoleType.IP6 if where.bits == where.field.bits:
                return Exact(where, lambda arguments, _: arguments[position])
            case HoleType.MAC | HoleType.IP4 | HoleType.IP6:
                number = part_source(where, lambda arguments: int.from_bytes(arguments[position]))
                return Exact(where, number)
            case HoleType.INT:
                return Exact(where, part_source(where, lambda arguments: arguments[position]))
        raise BadTemplateError(f"{self.template!r}: {term.slice} can't be matched with {hole}")

    def _member(self) -> Source:
        """A set member's bytes, which come after the flow's arguments."""
        position = self._added
        return lambda arguments, _: arguments[position]

    def _set_use(self, term: Term) -> SetUse | None:
        if not isinstance(term, SetTerm):
            return None
        pinned = "inport" if self.template.pipeline.endswith("_in") else "outport"
        return SetUse(
            name=self._set_name(term.reference),
            width=term.slice.width,
            negated=term.negated,
            local=term.slice.field.name == pinned,
        )

    def _set_name(self, reference: SetReference | Hole) -> Callable[[Arguments], str]:
        """Gives the set's name, from an argument of its own or from those left open."""
        if isinstance(reference, Hole):
            return itemgetter(self._positions[reference.name])
        number = open_position(reference)
        if number is None:
            name = str(reference)
            return lambda _: name
        position = len(self._positions)
        return lambda arguments: arguments[position][number]

    def _priority_of(self, priority: int | Priority) -> int | Callable[[Arguments], int]:
        if isinstance(priority, int):
            return priority
        base, hole, scale = priority
        position = self._positions[hole]

        def computed(arguments: Arguments) -> int:
            value = base + scale * int(arguments[position])
            if not 0 <= value <= MAX_PRIORITY:
                raise BadArgumentsError(f"{self.template!r}: priority {value} is out of range")
            return value

        return computed


def _has_alive(argument: object, context: PackContext) -> bool:
    """Whether a member is alive, or isn't watched."""
    try:
        members = decode_watched(argument)
    except TemplateError as error:
        raise BadArgumentsError(str(error)) from error
    return any(not each.session or context.is_alive(each.session) for each in members)


@lru_cache(maxsize=SPECIALISATIONS_KEPT)
def _specialised_body(compiled: CompiledTemplate, values: tuple[Any, ...]) -> _Body:
    """The body of a template with its specialising holes filled.

    One memory for all templates: with one for each, an ACL that changes all the time
    would fill them all.
    """
    return compiled.specialise(values)


def text_of(row: rows.Template) -> TemplateText:
    """A template's text as it came from the server."""
    return TemplateText(*(getattr(row, name) for name in TemplateText._fields))


def compile_template(row: rows.Template, stage: rows.Stage | None = None) -> CompiledTemplate:
    """Compile a template as it came from the server; `stage` is its stage's row, if there is one.

    Raises :class:`BadTemplateError`.
    """
    try:
        template = Template.from_text(text_of(row))
        if stage is not None:
            template.role = role_of(stage.role)
        return CompiledTemplate(template)
    except LogicalFlowError as error:
        raise BadTemplateError(f"template {row.id:#x} of stage {row.stage}: {error}") from error


@dataclass(frozen=True, slots=True)
class _Packing:
    """One logical flow on its way into `parts`."""

    compiled: CompiledTemplate
    arguments: Arguments
    filling: Arguments
    table: int
    priority: int
    cookie: int
    context: PackContext
    parts: PackedParts

    def add_dimension(
        self, place: tuple[int, int], dimension: Sequence[_Piece], instructions: bytes
    ) -> None:
        """Add the flows of each piece; `place` tells the dimension from the others."""
        for number, piece in enumerate(dimension):
            use = piece.members
            if use is None:
                self._add(piece.match.fill(self.filling, self.context), instructions)
            elif use.negated and use.width:
                for outside in use.outside(self.filling, self.context):
                    match = piece.match.fill((*self.filling, outside), self.context)
                    self._add(match, instructions)
            else:
                each = FlowsBySet(
                    set=use.name(self.filling),
                    identity=(self.compiled.template.id, self.arguments, *place, number),
                    arguments=self.filling,
                    table=self.table,
                    priority=self.priority,
                    instructions=instructions,
                    cookie=self.cookie,
                    datapath_key=self.context.datapath_key,
                    use=use,
                    match=piece.match,
                )
                each.check(self.context)
                self.parts.by_set.append(each)

    def _add(self, match: bytes, instructions: bytes) -> None:
        self.parts.flows.append(Flow(self.table, self.priority, match, instructions, self.cookie))


def _specialising(template: Template) -> list[str]:
    """The holes whose values are more than bytes to fill in."""
    names = [hole.name for hole in template.arguments if hole.type is HoleType.EXPR]
    for action in every_action(template.actions):
        if action.binds_early:
            names += [hole.name for hole in action.holes()]
    return list(dict.fromkeys(names))
