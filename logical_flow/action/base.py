"""What every logical action is: its text, its holes, what it implies, what it does.

An action is one class: a frozen dataclass of its parts. :class:`Statement` and
:class:`Function` say in which of the language's two forms it is written.
:mod:`logical_flow.action.registry` lists the classes. How a switch is told to do it is
the agent's part (`chassis_agent.compile.encoders`): this package knows no OpenFlow.

Trees are immutable and compare by value.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Self

from logical_flow.action.effect import Course, Effect, Scene, Walker
from logical_flow.binding import Arguments
from logical_flow.fields import FieldSlice
from logical_flow.holes import Hole

if TYPE_CHECKING:
    from logical_flow.action_parser import ActionParser
    from logical_flow.lexer import Token
    from logical_flow.packet import MutablePacket


class Action(ABC):
    """A logical action; its ``str()`` is the canonical text, which parses to an equal one."""

    __slots__: tuple[str, ...] = ()

    words: ClassVar[tuple[str, ...]] = ()
    """The words that its text begins with, or that follow ``field =``."""

    forms: ClassVar[tuple[str, ...]] = ()
    """Names of what a word doesn't tell, for peers that may know the word and not this."""

    ends_list: ClassVar[bool] = False
    """Whether nothing may follow it in the same list."""

    decides: ClassVar[bool] = True
    """Whether it has a part in what becomes of the packet: to log or meter it has none."""

    binds_early: ClassVar[bool] = False
    """Whether its holes are filled before it is encoded: each value makes other bytes."""

    @abstractmethod
    def __str__(self) -> str: ...

    @abstractmethod
    def run(self, walker: Walker, scene: Scene, packet: MutablePacket) -> Effect:
        """Do to `packet` what the action does, and return how the list of actions goes on."""

    @property
    def form(self) -> str:
        """The name under which peers know it, one of `words` or `forms`."""
        return self.words[0]

    @property
    def nested(self) -> Actions:
        """The actions in its braces."""
        return ()

    @property
    def is_on_other_packet(self) -> bool:
        """Whether `nested` run on a packet of another kind, and imply nothing for this one."""
        return False

    @property
    def prerequisites(self) -> tuple[str, ...]:
        """Matches that a packet has to fit for the action to make sense of it."""
        return ()

    def bind(self, arguments: Arguments) -> Self:
        """Return the action with every hole filled; raises `TemplateError` for a misfit."""
        return self

    def bind_early(self, arguments: Arguments) -> Self:
        """Return the action with those holes filled that have to be before it is encoded."""
        return self.bind(arguments) if self.binds_early else self

    def slices(self) -> tuple[FieldSlice, ...]:
        """Return the fields that the action itself reads or writes, nested actions left out.

        Their prerequisites are implicit in the flow's match.
        """
        return tuple(part for part in self._parts() if isinstance(part, FieldSlice))

    def holes(self) -> tuple[Hole, ...]:
        """Return its own holes, nested actions left out."""
        return tuple(part for part in self._parts() if isinstance(part, Hole))

    def _parts(self) -> Iterator[object]:
        return (getattr(self, name) for name in type(self).__slots__)


Actions = tuple[Action, ...]


class Statement(Action):
    """An action that begins with one of its words: ``clone { … };``."""

    __slots__ = ()

    @classmethod
    @abstractmethod
    def parse(cls, parser: ActionParser, word: Token) -> Action:
        """Read what follows `word`, up to the semicolon."""


class Function(Action):
    """An action whose result goes into a field: ``outport = get_fdb(eth.dst);``."""

    __slots__ = ()

    @classmethod
    @abstractmethod
    def parse(cls, parser: ActionParser, word: Token, result: FieldSlice) -> Action:
        """Read what follows ``result = word``, up to the semicolon."""


def format_actions(actions: Actions) -> str:
    """Return the canonical text of an action list; the empty list is ``drop;``."""
    return " ".join(map(str, actions)) or "drop;"


def every_action(actions: Actions) -> Iterator[Action]:
    """Yield all actions, nested ones after the action that holds them."""
    for action in actions:
        yield action
        yield from every_action(action.nested)


def holes(actions: Actions) -> tuple[Hole, ...]:
    """Return the holes of the actions in the order in which they first appear."""
    return tuple(dict.fromkeys(hole for action in every_action(actions) for hole in action.holes()))


def bind_actions(actions: Actions, arguments: Arguments) -> Actions:
    """Return `actions` with every hole filled."""
    return tuple(action.bind(arguments) for action in actions)


CONTINUE, HANDLED, ENDED = Course.CONTINUE, Course.HANDLED, Course.ENDED
