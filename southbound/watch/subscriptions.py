"""The scopes that an agent's user wants, and when the server was asked for them.

A user may leave a scope and want it back while parts of the first subscription are still
on their way. So the messages that subscribe and unsubscribe are counted, an update says
how many of them the server had heard, and a part counts only if it answers the latest
message about its scope. Pure: the caller sends the messages.
"""

from collections.abc import Iterable, Sequence, Set

from southbound import wire


class Subscriptions:
    """The wanted scopes. Counting begins anew with each connection."""

    def __init__(self) -> None:
        self._asked_at: dict[str, int] = {}
        self._messages = 0

    @property
    def scopes(self) -> Set[str]:
        return self._asked_at.keys()

    def accepts(self, scope: str, heard: int) -> bool:
        """Whether a part of the scope, in an update of that `heard`, is what was asked for."""
        asked_at = self._asked_at.get(scope)
        return asked_at is not None and asked_at <= heard

    def add(self, scopes: Iterable[str]) -> wire.Subscribe:
        new = tuple(scopes)
        self._messages += 1
        self._asked_at.update(dict.fromkeys(new, self._messages))
        return wire.Subscribe(new)

    def remove(self, scopes: Iterable[str]) -> wire.Unsubscribe:
        gone = tuple(scopes)
        self._messages += 1
        for scope in gone:
            del self._asked_at[scope]
        return wire.Unsubscribe(gone)

    def connected(
        self, resumed: Set[str], based: Set[str]
    ) -> Sequence[wire.Subscribe | wire.Unsubscribe]:
        """What to tell a server that was told, when registering, of the `resumed` scopes.

        Those that are not `based` any more were left meanwhile, or left and wanted back.
        """
        self._messages = 0
        kept = resumed & based
        self._asked_at.update(dict.fromkeys(kept, 0))
        messages: list[wire.Subscribe | wire.Unsubscribe] = []
        if given_up := resumed - kept:
            self._messages += 1
            messages.append(wire.Unsubscribe(tuple(sorted(given_up))))
        if missing := self.scopes - kept:
            messages.append(self.add(sorted(missing)))
        return messages
