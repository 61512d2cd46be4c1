"""Members of address sets and port groups, as bytes to fill into a match."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from chassis_agent.compile.context import PackContext
from chassis_agent.compile.match_blueprint import MatchBlueprint
from chassis_agent.compile.splice import Arguments
from chassis_agent.desired.flow import Flow
from logical_flow.masks import complement_of_all
from logical_flow.members import member_pattern


@dataclass(frozen=True, slots=True)
class SetUse:
    """A place of a match that takes any member of a set.

    `name` gives the set's, with its sigil, from a flow's arguments. `width` is
    that of the field in bits, 0 for ports. Only ports of this chassis count where
    `local` is set: no other can be there.
    """

    name: Callable[[Arguments], str]
    width: int
    negated: bool
    local: bool

    def pattern(self, member: str, context: PackContext) -> bytes | None:
        """What to fill in for one member of a set that isn't negated; None for one of no use."""
        if self.width:
            pattern = member_pattern(member, self.width)
            if pattern is None:
                return None
            size = self.width // 8
            return b"".join(number.to_bytes(size) for number in pattern)
        if self.local and not context.is_local(member):
            return None
        key = context.port_key_here(member)
        return None if key is None else key.to_bytes(4)

    @property
    def any_pattern(self) -> bytes:
        """Bytes as long as those of a member."""
        return bytes(self.width // 4 or 4)

    def outside(self, arguments: Arguments, context: PackContext) -> Iterator[bytes]:
        """What to fill in where no member matches: values and masks that depend on all."""
        members = context.members(self.name(arguments))
        patterns = (member_pattern(member, self.width) for member in members)
        known = frozenset(pattern for pattern in patterns if pattern is not None)
        size = self.width // 8
        for value, mask in sorted(complement_of_all(known)):
            yield value.to_bytes(size) + mask.to_bytes(size)


@dataclass(frozen=True, slots=True)
class FlowsBySet:
    """What a logical flow is for each member of a set: one flow, whatever the other members.

    Packed apart from the rest, so that a member that comes or goes costs its own flows, and
    not those of all others. Two are equal if they are of the same place (`identity`, of the
    template, and the arguments) and give the same: the blueprint follows from that.
    """

    set: str
    identity: tuple[object, ...]
    arguments: Arguments
    table: int
    priority: int
    instructions: bytes
    cookie: int
    datapath_key: int
    use: SetUse = field(compare=False)
    match: MatchBlueprint = field(compare=False)

    def flow(self, member: str, context: PackContext) -> Flow | None:
        """Return the flow of one member; None if the member is of no use here.

        Raises `UnknownPortError` for a port that the match names and that isn't known.
        """
        pattern = self.use.pattern(member, context)
        if pattern is None:
            return None
        match = self.match.fill((*self.arguments, pattern), context)
        return Flow(self.table, self.priority, match, self.instructions, self.cookie)

    def check(self, context: PackContext) -> None:
        """Raise `UnknownPortError` if the match names a port that isn't known."""
        self.match.fill((*self.arguments, self.use.any_pattern), context)
