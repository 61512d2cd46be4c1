"""Whatever is written, subscribed, delayed, cut and restarted: in the end rows agree.

The parts of the watch that decide anything are pure. Here they run against each other
over a link that holds messages back and loses them with the connection, in any order that
Hypothesis can think of. The mirror must never show rows that the server never had
together, and must end with exactly the rows of the scopes that its user wants and the
server lets it have; whatever it may have comes and goes meanwhile.
"""

from collections import deque
from collections.abc import Iterable
from typing import cast

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from southbound import wire
from southbound.feed import Feed
from southbound.rows import AnyRow, Datapath, PortBinding, Row, RowId, SetMember
from southbound.watch.mirror import Mirror
from southbound.watch.parts import PartCache
from southbound.watch.session import Session
from southbound.watch.subscriptions import Subscriptions

DATAPATHS = ["d1", "d2"]
SCOPES = ["datapath:d1", "datapath:d2", "port:p1", "port:p2", "set:$a"]

ROWS: st.SearchStrategy[Row] = st.one_of(
    st.builds(
        PortBinding,
        id=st.sampled_from(["i1", "i2", "i3"]),
        datapath=st.sampled_from(DATAPATHS),
        name=st.sampled_from(["p1", "p2"]),
        tunnel_key=st.integers(1, 3),
        type=st.just("vif"),
    ),
    st.builds(
        Datapath,
        id=st.sampled_from(DATAPATHS),
        kind=st.just("ls"),
        name=st.sampled_from(["x", "y"]),
        tunnel_key=st.just(1),
    ),
    st.builds(SetMember, set=st.just("$a"), member=st.sampled_from(["m", "n"])),
)
ROW_IDS = ROWS.map(lambda row: row.row_id)
SOME_SCOPES = st.lists(st.sampled_from(SCOPES), min_size=1, max_size=3, unique=True)


def by_id(rows: Iterable[Row]) -> dict[RowId, Row]:
    return {row.row_id: row for row in rows}


class Watch(RuleBasedStateMachine):
    """One server, one agent, one link."""

    @initialize(tombstones=st.sampled_from([0, 3, 1000]), scopes=SOME_SCOPES)
    def start(self, tombstones: int, scopes: list[str]) -> None:
        self.tombstones = tombstones
        self.mirror = Mirror()
        self.cached: dict[str, list[Row]] = {}
        self.user: dict[RowId, Row] = {}
        self.subscriptions = Subscriptions()
        self.epochs = 0
        self.allowed = set(SCOPES)
        self.history: dict[tuple[str, int], dict[str, dict[RowId, Row]]] = {}
        self.begin_epoch([])
        self.connect()
        self.subscribe(scopes)

    def begin_epoch(self, rows: list[Row]) -> None:
        self.feed = Feed(tombstones=self.tombstones)
        self.feed.change(rows)
        self.parts = PartCache(self.feed, max_bytes=200)
        self.epochs += 1
        self.epoch = f"epoch {self.epochs}"
        self.remember()

    def remember(self) -> None:
        """What the server has at this position."""
        now = {scope: by_id(self.feed.snapshot(scope)) for scope in SCOPES}
        self.history[self.epoch, self.feed.position] = now

    def connect(self) -> None:
        """As WatchClient and AgentConnection do it. The agent goes on when it is greeted."""
        self.to_server: deque[wire.FromAgent] = deque()
        self.to_agent: deque[bytes] = deque()
        self.session = Session("hv1", self.feed, self.parts, self.allowed.__contains__)
        resume = self.mirror.resume()
        if resume is not None:
            known = resume.epoch == self.epoch and resume.position <= self.feed.position
            self.session.resume(resume.position if known else None, resume.scopes)
        self.resumed = set(resume.scopes) if resume else set()
        self.greeted = False

    @precondition(lambda self: not self.greeted)
    @rule()
    def greet(self) -> None:
        self.greeted = True
        self.to_server.extend(self.subscriptions.connected(self.resumed, self.mirror.based))
        self.to_server.append(wire.ClaimOnly(()))

    def tell(self, message: wire.FromAgent) -> None:
        if self.greeted:
            self.to_server.append(message)

    # --- what happens

    @rule(puts=st.lists(ROWS, max_size=4), deletes=st.lists(ROW_IDS, max_size=3))
    def write(self, puts: list[Row], deletes: list[RowId]) -> None:
        for scope in self.feed.change(puts, deletes):
            if scope in self.session.scopes:
                self.session.changed(scope)
        self.remember()

    @rule(scopes=SOME_SCOPES)
    def subscribe(self, scopes: list[str]) -> None:
        new = [scope for scope in scopes if scope not in self.subscriptions.scopes]
        for scope in new:
            if scope in self.cached:
                self.take(self.mirror.base(scope, cast(list[AnyRow], self.cached.pop(scope))))
        if new:
            self.tell(self.subscriptions.add(new))

    @rule(scopes=SOME_SCOPES)
    def leave_and_want_back(self, scopes: list[str]) -> None:
        self.unsubscribe(scopes)
        self.subscribe(scopes)

    @rule(scopes=SOME_SCOPES)
    def unsubscribe(self, scopes: list[str]) -> None:
        gone = [scope for scope in scopes if scope in self.subscriptions.scopes]
        for scope in gone:
            self.take(self.mirror.leave(scope))
        if gone:
            self.tell(self.subscriptions.remove(gone))

    @precondition(lambda self: self.to_server)
    @rule()
    def server_hears(self) -> None:
        match self.to_server.popleft():
            case wire.Subscribe(scopes):
                with self.session.hearing():
                    self.session.subscribe(scopes)
            case wire.Unsubscribe(scopes):
                with self.session.hearing():
                    self.session.unsubscribe(scopes)
            case wire.ClaimOnly():
                self.session.claims_stated()

    @rule(scope=st.sampled_from(SCOPES))
    def allow_or_forbid(self, scope: str) -> None:
        self.allowed ^= {scope}
        self.session.review([scope])

    @precondition(lambda self: self.session.news.is_set())
    @rule()
    def server_sends(self) -> None:
        self.to_agent.append(b"".join(self.session.compose(self.feed.position)))

    @precondition(lambda self: self.to_agent and self.greeted)
    @rule()
    def agent_hears(self) -> None:
        update = wire.decode_from_server(self.to_agent.popleft())
        assert isinstance(update, wire.Update)
        changes = self.mirror.apply(
            self.epoch, update, lambda scope: self.subscriptions.accepts(scope, update.heard)
        )
        self.cached = {}
        self.take(changes)

    @rule()
    def restart_agent(self) -> None:
        """It has its rows on disk, and subscribes anew."""
        old = self.mirror
        self.cached = {scope: list(old.of(scope)) for scope in old.based}
        self.mirror = Mirror()
        self.mirror.epoch, self.mirror.position = old.epoch, old.position
        self.user = {}
        self.subscriptions = Subscriptions()
        self.connect()

    @rule()
    def cut(self) -> None:
        self.connect()

    @rule()
    def restart_server(self) -> None:
        rows = [
            row
            for table in ("datapath", "port_binding", "set_member")
            for row in self.feed.table(table).values()
        ]
        self.begin_epoch(rows)
        self.connect()

    def take(self, changes: tuple[dict[RowId, Row], set[RowId]]) -> None:
        puts, deletes = changes
        assert not puts.keys() & deletes
        assert deletes <= self.user.keys()
        self.user.update(puts)
        for row_id in deletes:
            del self.user[row_id]

    # --- what holds

    @invariant()
    def the_user_has_what_the_mirror_has(self) -> None:
        assert self.user == self.mirror.rows

    @invariant()
    def rows_are_those_of_one_moment(self) -> None:
        for scope in self.mirror.based:
            then = self.history[self.mirror.epoch, self.mirror.position]
            assert by_id(self.mirror.of(scope)) in (then[scope], {})

    @rule()
    def settle(self) -> None:
        """From any state at all, delivering what is due brings the server's rows."""
        if not self.greeted:
            self.greet()
        while self.to_server or self.to_agent or self.session.news.is_set():
            if self.to_server:
                self.server_hears()
            if self.session.news.is_set():
                self.server_sends()
            if self.to_agent:
                self.agent_hears()
        scopes = self.subscriptions.scopes
        assert self.session.scopes == scopes & self.allowed
        assert self.user == by_id(
            row for scope in scopes & self.allowed for row in self.feed.snapshot(scope)
        )
        assert self.mirror.based == self.subscriptions.scopes

    def teardown(self) -> None:
        if hasattr(self, "session"):
            self.settle()


TestWatch = Watch.TestCase
TestWatch.settings = settings(max_examples=400, stateful_step_count=60, deadline=None)
