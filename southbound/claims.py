"""Which of the chassis that claim a port has it.

A chassis *claims* a port while it has an interface of that name. Mostly one chassis does.
When several do, the rule is:

1. Where the port says `requested_chassis`, only those may have it, the first named first.
   Which chassis the names stand for is :mod:`southbound.requested`'s to say.
2. A chassis that is alive comes before one that is dead (whose lease ran out).
3. Where takeover is off, the one that has the port keeps it while it claims it.
4. Else the interface that was plugged in last wins.

Several live claimants of a port are a *contest*, which users are told of.

"Plugged in last" goes by when the server first heard of the interface, not by who spoke
last: a chassis that repeats its claim gains nothing, so two claimants never take a port
from each other in turns. In the cases that matter this gives:

*A port moves*, unplugged from A and plugged in at B, in either order of arrival: B has it
from its claim on. Should B's interface vanish again while A still has one, A has it back.

*A host dies* and its guest starts elsewhere: the new host claims later and has the port at
once. The dead one's claim is dropped when its port is taken, so that it doesn't take it
back by returning.

*An agent or the server restarts.* Claims that an agent states upon connecting are no
news of a plug: they rank behind claims that are already known, and the port stays where
it was.

Pure bookkeeping: no clock, no I/O. Ports are named as interfaces name them, by their names or
ids, also ones that do not exist yet.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence


class Claims:
    """All claims of all chassis."""

    def __init__(self) -> None:
        self._claims: dict[str, dict[str, int]] = {}
        self._ports: dict[str, set[str]] = {}
        self._plugs = 0

    def of(self, chassis: str) -> Collection[str]:
        """The ports that a chassis claims."""
        return self._ports.get(chassis, frozenset())

    def on(self, ports: Iterable[str]) -> Collection[str]:
        """The chassis that claim a port, by any of what it is called."""
        return self._claimants(ports).keys()

    def plugged(self, chassis: str, port: str) -> None:
        """A claim that is news: the interface was plugged in just now."""
        self._plugs += 1
        self._add(chassis, port, self._plugs)

    def restore_claim(self, chassis: str, port: str) -> None:
        """A claim that says how things are; older than all claims already known."""
        self._plugs += 1
        self._add(chassis, port, -self._plugs)

    def replace_claims(self, chassis: str, ports: Iterable[str]) -> Collection[str]:
        """All that a chassis claims. Returns the ports whose claims came or went."""
        now, before = set(ports), set(self.of(chassis))
        for port in before - now:
            self.release(chassis, port)
        for port in sorted(now - before):
            self.restore_claim(chassis, port)
        return now ^ before

    def release(self, chassis: str, port: str) -> None:
        claims = self._claims.get(port, {})
        if chassis in claims:
            del claims[chassis]
            self._ports[chassis].discard(port)
            if not claims:
                del self._claims[port]
            if not self._ports[chassis]:
                del self._ports[chassis]

    def holder(
        self,
        ports: Collection[str],
        candidates: Sequence[str] | None,
        alive: Callable[[str], bool],
        keeper: str = "",
    ) -> str:
        """The chassis that has a port, or "". Drops claims that the dead lose by it.

        `ports` is what the port is called: a claim may be by each of it.
        `candidates` are the only ones that may have it; None where all may. Then `keeper`
        doesn't lose it to a later plug.
        """
        best = self.favourite(ports, candidates, alive, keeper)
        if best and alive(best):
            for port in ports:
                for chassis in [name for name in self._claims.get(port, ()) if not alive(name)]:
                    self.release(chassis, port)
        return best

    def favourite(
        self,
        ports: Collection[str],
        candidates: Sequence[str] | None,
        alive: Callable[[str], bool],
        keeper: str = "",
    ) -> str:
        """As :meth:`holder`, without a loss for anyone: for ports that may never be."""
        claims = self._claimants(ports)
        allowed = [name for name in claims if candidates is None or name in candidates]
        if not allowed:
            return ""

        def rank(chassis: str) -> tuple[bool, int, int]:
            wish = int(chassis == keeper) if candidates is None else -candidates.index(chassis)
            return alive(chassis), wish, claims[chassis]

        return max(allowed, key=rank)

    def latest(self, port: str, candidates: Collection[str], alive: Callable[[str], bool]) -> str:
        """The one of the `candidates` that claimed a port last, the living before the dead."""
        claims = self._claims.get(port, {})
        allowed = [name for name in candidates if name in claims]
        return max(allowed, key=lambda name: (alive(name), claims[name]), default="")

    def _claimants(self, ports: Iterable[str]) -> Mapping[str, int]:
        """The chassis that claim a port, with when each plugged it in last."""
        found: dict[str, int] = {}
        for port in ports:
            claims = self._claims.get(port)
            for chassis, plugged in claims.items() if claims else ():
                found[chassis] = max(plugged, found.get(chassis, plugged))
        return found

    def _add(self, chassis: str, port: str, plugged: int) -> None:
        claims = self._claims.setdefault(port, {})
        if chassis not in claims:
            claims[chassis] = plugged
            self._ports.setdefault(chassis, set()).add(port)
