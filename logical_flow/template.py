"""Flow templates, the stages that hold them, and the pipelines that order the stages.

A pipeline is declared once. Each stage is a class, each template an attribute of
it, and declaration order is table order::

    class LsInL2Lookup(
        Stage, name="ls_in_l2_lkup", default="drop", role=Role.FORWARDING
    ):
        '''Where the Ethernet destination chooses the logical output port.'''

        multicast = Template(70, "eth.mcast", 'outport = "_MC_flood"; output;')
        unicast = Template(50, "eth.dst == {mac:mac}", "outport = {port:lport}; output;")

    LS_IN = Pipeline("ls_in", kind="ls", direction="ingress", stages=[LsInL2Lookup])

Text is parsed when a template is made, which for a declared one is at import; a
:class:`Pipeline` then places its templates, which gives them their ids. Calling a
template gives a :class:`LogicalFlow`, a tuple of the template and its arguments.
Nothing is parsed, formatted or checked a flow: :meth:`LogicalFlow.check` is for
tests and for what came over the wire.

Templates travel as :class:`TemplateText` and are rebuilt by :meth:`Template.from_text`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, ClassVar, Literal, NamedTuple

from logical_flow.action import (
    Action,
    Actions,
    Assign,
    Exchange,
    Move,
    Next,
    bind_actions,
    format_actions,
)
from logical_flow.action import holes as action_holes
from logical_flow.action_parser import parse_actions
from logical_flow.because import Because
from logical_flow.binding import bind_expression
from logical_flow.errors import TemplateError
from logical_flow.expression import And, Comparison, Expression, Relation
from logical_flow.expression import holes as expression_holes
from logical_flow.fields import Access
from logical_flow.holes import HOLE_PATTERN, Argument, Hole, HoleType
from logical_flow.match_parser import parse_match
from logical_flow.roles import KEEPING_OUT, Role, role_of_name

MAX_PRIORITY = 65535

Direction = Literal["ingress", "egress"]
DatapathKind = Literal["ls", "lr"]
Default = Literal["next", "drop"]


class Priority(NamedTuple):
    """``base + scale * argument`` where the argument fills the ``int`` hole named `hole`."""

    base: int
    hole: str
    scale: int = 1

    def __str__(self) -> str:
        hole = Hole(self.hole, HoleType.INT)
        return f"{self.base}+{hole}" if self.scale == 1 else f"{self.base}+{self.scale}*{hole}"


_PRIORITY = re.compile(r"(?P<base>\d+)(?:\+(?:(?P<scale>\d+)\*)?(?P<hole>\{.*\}))?", re.ASCII)


def parse_priority(text: str) -> int | Priority:
    """Return the priority that `text` is of a template; raises :class:`TemplateError`."""
    found = _PRIORITY.fullmatch(text)
    if found is None:
        raise TemplateError(f"`{text}' is not a priority")
    if found["hole"] is None:
        return int(text)
    hole = HOLE_PATTERN.fullmatch(found["hole"])
    if hole is None or hole["type"] != HoleType.INT:
        raise TemplateError(f"`{text}' needs a hole of type int")
    return Priority(int(found["base"]), hole["name"], int(found["scale"] or 1))


@dataclass(frozen=True, slots=True)
class Local:
    """The flow is for the chassis to which the port in the hole named `hole` is bound."""

    hole: str

    def __str__(self) -> str:
        return f"local:{self.hole}"


@dataclass(frozen=True, slots=True)
class Resident:
    """The flow is for the chassis on which the gateway port in that hole lives now."""

    hole: str

    def __str__(self) -> str:
        return f"resident:{self.hole}"


@dataclass(frozen=True, slots=True)
class Alive:
    """The flow is there while a member in that hole is alive: by its BFD session, or without one.

    The hole is of type ``watched``. It need not be in the match or the actions.
    """

    hole: str

    def __str__(self) -> str:
        return f"alive:{self.hole}"


Only = Local | Resident | Alive


def _parse_only(text: str) -> Only | None:
    kind, _, hole = text.partition(":")
    match kind:
        case "":
            return None
        case "local":
            return Local(hole)
        case "resident":
            return Resident(hole)
        case "alive":
            return Alive(hole)
    raise TemplateError(f"`{text}' doesn't say where flows belong")


class TemplateText(NamedTuple):
    """A template as data, all that an agent needs to rebuild it."""

    id: int
    pipeline: str
    stage: str
    table_number: int
    stage_default: str
    priority: str
    match: str
    actions: str
    only: str


class Template:
    """Stage, priority, match and actions of many flows, with typed holes.

    `arguments` are the holes in the order in which flows carry their values: the
    priority's, then the match's, then the actions', each once. `id`, `pipeline`,
    `stage`, `table_number`, `stage_default` and `role`, which is the stage's, are set once the
    template is placed.
    """

    __slots__ = (
        "_names",
        "actions",
        "arguments",
        "because",
        "id",
        "match",
        "name",
        "only",
        "pipeline",
        "priority",
        "role",
        "stage",
        "stage_default",
        "table_number",
    )

    id: int
    pipeline: str
    stage: str
    table_number: int
    stage_default: Default
    role: Role

    def __init__(
        self,
        priority: int | Priority,
        match: str,
        actions: str,
        only: Only | None = None,
        *,
        because: Because | None = None,
    ) -> None:
        """`because` says why packets end that meet a flow which sends them no further."""
        self.name = ""
        self.because = because
        self.priority = priority
        self.match: Expression = parse_match(match, with_holes=True)
        self.actions: Actions = parse_actions(actions, with_holes=True)
        self.only = only
        self.arguments = _collect_holes(priority, self.match, self.actions)
        kind = HoleType.WATCHED if isinstance(only, Alive) else HoleType.LPORT
        if only is not None and only.hole not in [hole.name for hole in self.arguments]:
            self.arguments = (*self.arguments, Hole(only.hole, kind))
        self._names = tuple(hole.name for hole in self.arguments)
        if only is not None and Hole(only.hole, kind) not in self.arguments:
            raise TemplateError(f"`{only}' names no hole of type {kind}")

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __call__(self, **arguments: Argument) -> "LogicalFlow":
        if len(arguments) != len(self._names):
            raise self._misfit(arguments)
        try:
            values = tuple([arguments[name] for name in self._names])
        except KeyError:
            raise self._misfit(arguments) from None
        flow: LogicalFlow = _new_flow(LogicalFlow, (self, values))
        return flow

    def __repr__(self) -> str:
        return f"<Template {getattr(self, 'stage', '?')}.{self.name or hex(self.id)}>"

    @classmethod
    def from_text(cls, text: TemplateText) -> "Template":
        """The template that `text` was taken from, under the id that it had there."""
        template = cls(
            parse_priority(text.priority), text.match, text.actions, _parse_only(text.only)
        )
        if text.stage_default not in ("next", "drop"):
            raise TemplateError(f"`{text.stage_default}' is no default of a stage")
        default: Default = "next" if text.stage_default == "next" else "drop"
        role = role_of_name(text.stage)
        template._place(text.pipeline, text.stage, text.table_number, default, role)
        template.id = text.id
        return template

    def as_text(self) -> TemplateText:
        return TemplateText(
            id=self.id,
            pipeline=self.pipeline,
            stage=self.stage,
            table_number=self.table_number,
            stage_default=self.stage_default,
            priority=str(self.priority),
            match=str(self.match),
            actions=format_actions(self.actions),
            only="" if self.only is None else str(self.only),
        )

    def _place(
        self, pipeline: str, stage: str, table_number: int, default: Default, role: Role
    ) -> None:
        self.pipeline = pipeline
        self.stage = stage
        self.table_number = table_number
        self.stage_default = default
        self.role = role

    def _misfit(self, arguments: Iterable[str]) -> TemplateError:
        given, wanted = ", ".join(sorted(arguments)), ", ".join(self._names)
        return TemplateError(f"{self!r} takes arguments ({wanted}), not ({given})")


class Variants(dict[str, Template]):
    """Templates of a stage that differ by what they are for, by that.

    Each has the name of the attribute that they are, and its own after it.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        for key, template in self.items():
            template.name = f"{name}_{key}"


class LogicalFlow(NamedTuple):
    """A template and the values of its holes, in the order of ``template.arguments``."""

    template: Template
    args: tuple[Argument, ...]

    @property
    def named_args(self) -> dict[str, Argument]:
        names = (hole.name for hole in self.template.arguments)
        return dict(zip(names, self.args, strict=True))

    @property
    def priority(self) -> int:
        priority = self.template.priority
        if isinstance(priority, int):
            return priority
        argument = self.args[0]
        if not isinstance(argument, int):
            raise TemplateError(f"{self.template!r} has a priority that is no number: {argument!r}")
        return priority.base + priority.scale * argument

    @property
    def match(self) -> Expression:
        """The match with its holes filled."""
        return bind_expression(self.template.match, self.named_args)

    @property
    def actions(self) -> Actions:
        """The actions with their holes filled."""
        return bind_actions(self.template.actions, self.named_args)

    def check(self) -> None:
        """Raise :class:`TemplateError` unless every argument fits its hole."""
        holes = self.template.arguments
        if len(holes) != len(self.args):
            message = f"{self.template!r} takes {len(holes)} arguments, not {len(self.args)}"
            raise TemplateError(message)
        for hole, value in zip(holes, self.args, strict=True):
            if not hole.type.accepts(value):
                raise TemplateError(f"{self.template!r}: {value!r} does not fit {hole}")
        if not 0 <= self.priority <= MAX_PRIORITY:
            raise TemplateError(f"{self.template!r}: priority {self.priority} is out of range")

    def __str__(self) -> str:
        template = self.template
        return (
            f"table={template.table_number}({template.stage}), priority={self.priority}, "
            f"match=({self.match}), action=({format_actions(self.actions)})"
        )


_new_flow: Any = tuple.__new__
"""Half the time of ``LogicalFlow(…)``, which counts with a flow a call."""


class Stage:
    """Base of stages; the docstring of a stage explains it to its readers.

    What is a template among a stage's attributes, or variants of one, belongs to it.
    """

    name: ClassVar[str]
    default: ClassVar[Default]
    role: ClassVar[Role] = Role.OTHER
    because: ClassVar[Because | None]
    failure: ClassVar[Default]
    templates: ClassVar[tuple[Template, ...]]

    def __init_subclass__(
        cls,
        *,
        name: str,
        default: Default = "next",
        role: Role | None = None,
        because: Because | None = None,
        failure: Default | None = None,
    ) -> None:
        """Without a `role` the stage has that of the class that it is made from.

        `because` says why packets end that no flow of a stage with the default ``drop`` takes.
        `failure` is what becomes of packets that a flow is for which an agent can't make,
        say because it is too old. Unless it is said, such packets are dropped where the
        stage keeps packets out or drops what no flow takes, and go on elsewhere.
        """
        super().__init_subclass__()
        cls.name = name
        cls.default = default
        cls.because = because
        if role is not None:
            cls.role = role
        closes = default == "drop" or cls.role in KEEPING_OUT
        cls.failure = failure or ("drop" if closes else "next")
        cls.templates = tuple(t for value in vars(cls).values() for t in _templates_in(value))


def _templates_in(value: object) -> Iterator[Template]:
    """Yield the templates that an attribute of a stage is: one, or its variants."""
    if isinstance(value, Variants):
        yield from value.values()
    elif isinstance(value, Template):
        yield value


class Pipeline:
    """Stages in table order. Making one places the templates of its stages."""

    def __init__(
        self,
        name: str,
        *,
        kind: DatapathKind,
        direction: Direction,
        stages: Sequence[type[Stage]],
    ) -> None:
        self.name = name
        self.kind = kind
        self.direction = direction
        self.stages = tuple(stages)
        self.tables: Mapping[str, int] = {s.name: table for table, s in enumerate(self.stages)}
        if len(self.tables) != len(self.stages):
            raise TemplateError(f"a stage stands in pipeline {name} twice")
        for table, stage in enumerate(self.stages):
            for template in stage.templates:
                self._place(template, stage, table)

    @property
    def templates(self) -> tuple[Template, ...]:
        return tuple(template for stage in self.stages for template in stage.templates)

    def _place(self, template: Template, stage: type[Stage], table: int) -> None:
        if hasattr(template, "pipeline"):
            raise TemplateError(f"{template!r} stands in two pipelines")
        template._place(self.name, stage.name, table, stage.default, stage.role)
        if template.only is None:
            template.only = _inferred_only(template.match, self.direction)
        self._check_targets(template, table)
        if self.direction == "egress":
            _check_egress(template)
        template.id = _content_id(template)

    def _check_targets(self, template: Template, table: int) -> None:
        """Named stages of the same pipeline lie further down it, or are the template's own.

        Whoever lets packets go through their own stage again sees to it that this ends.
        Stages of other pipelines are left alone: a packet that an action made may
        go to the ingress pipeline again.
        """
        for action in _own_actions(template.actions):
            if isinstance(action, Next) and action.stage is not None:
                target = self.tables.get(action.stage)
                if target is not None and target < table:
                    raise TemplateError(f"{template!r} jumps back to {action.stage}")
                if target is None and not action.stage.startswith(self.kind):
                    raise TemplateError(f"{template!r} jumps to unknown stage {action.stage}")


def _own_actions(actions: Actions) -> Iterator[Action]:
    """Yield the actions on the packet itself: one that is made of it may be routed anew."""
    for action in actions:
        yield action
        if not action.is_on_other_packet:
            yield from _own_actions(action.nested)


def _check_egress(template: Template) -> None:
    """In egress the output port is settled, except for packets made from this one."""
    for action in template.actions:
        match action:
            case Assign(target) | Move(target) | Exchange(target, _):
                if target.symbol.access is Access.INGRESS:
                    raise TemplateError(f"{template!r} sets {target} in an egress pipeline")


def _collect_holes(
    priority: int | Priority, match: Expression, actions: Actions
) -> tuple[Hole, ...]:
    found = [*expression_holes(match), *action_holes(actions)]
    if isinstance(priority, Priority):
        found.insert(0, Hole(priority.hole, HoleType.INT))
    types: dict[str, HoleType] = {}
    for hole in found:
        if types.setdefault(hole.name, hole.type) is not hole.type:
            raise TemplateError(f"hole {hole.name} is {types[hole.name]} and {hole.type}")
    return tuple(dict.fromkeys(found))


def _inferred_only(match: Expression, direction: Direction) -> Only | None:
    """Where the match pins the port that the direction is about, that port decides."""
    port = "inport" if direction == "ingress" else "outport"
    for operand in match.operands if isinstance(match, And) else (match,):
        match operand:
            case Comparison(field, Relation.EQ, (Hole(name, HoleType.LPORT),)):
                if field.symbol.name == port:
                    return Local(name)
    return None


def _content_id(template: Template) -> int:
    """The hash of what flows of the template are, wherever in the pipeline its stage is.

    So flow groups, which name their templates by id, stay the same when a stage is
    inserted before theirs.
    """
    template.id = 0
    content = "\0".join(map(str, _without_place(template.as_text())))
    return int.from_bytes(blake2b(content.encode(), digest_size=4).digest())


def _without_place(text: TemplateText) -> TemplateText:
    return text._replace(table_number=0, stage_default="")


def check_ids(pipelines: Iterable[Pipeline]) -> None:
    """Raise TemplateError where two templates share an id by chance.

    Ids are hashes: such templates would be taken for each other.
    """
    known: dict[int, Template] = {}
    for template in (template for pipeline in pipelines for template in pipeline.templates):
        other = known.setdefault(template.id, template)
        if _without_place(other.as_text()) != _without_place(template.as_text()):
            raise TemplateError(f"{template!r} and {other!r} have the same id; reword one of them")
