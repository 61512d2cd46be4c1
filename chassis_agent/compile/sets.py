"""Members of address sets and port groups, as bytes to fill into a match."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from chassis_agent.compile.context import PackContext
from chassis_agent.compile.splice import Arguments
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

    def members(self, arguments: Arguments, context: PackContext) -> Iterator[bytes]:
        """What to fill in, once for each member: a port's key, or value and mask."""
        members = context.members(self.name(arguments))
        if not self.width:
            for member in members:
                if self.local and not context.is_local(member):
                    continue
                key = context.port_key_here(member)
                if key is not None:
                    yield key.to_bytes(4)
            return
        patterns = (member_pattern(member, self.width) for member in members)
        known = frozenset(pattern for pattern in patterns if pattern is not None)
        size = self.width // 8
        for value, mask in sorted(complement_of_all(known) if self.negated else known):
            yield value.to_bytes(size) + mask.to_bytes(size)
