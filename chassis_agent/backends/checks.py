"""When backends are asked whether they are up, and what follows from answers. Pure.

A backend of which nothing is known is what its first answer, or the lack of one, says. From then
on it takes a number of them in a row to change that. A UDP backend needn't say anything: it is
down if its host says that nothing listens.

Time is the caller's, in seconds.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final, NamedTuple

from chassis_agent.backends.frames import Answer, Asked
from chassis_agent.due import DueQueue
from chassis_agent.punt import codec
from logical_flow.backends import parse_backend
from southbound.rows import BackendCheck, BackendStatus
from southbound.wire import BackendState, BackendStates

FIRST_SOURCE_PORT: Final = 49152
SOURCE_PORTS: Final = 16384
RETRY_SECONDS: Final = 0.5
"""How long to wait with a question that could not be sent."""
_PROTOCOLS: Final = {"tcp": codec.PROTOCOL_TCP, "udp": codec.PROTOCOL_UDP}
_NO_MAC: Final = "its port has no MAC address"


class Question(NamedTuple):
    """What is to be sent through the logical port `port`."""

    port: str
    mac: bytes
    asked: Asked
    sequence: int


@dataclass(slots=True)
class _Watched:
    """A backend, whether it is up as far as that is known, and what it was asked last."""

    check: BackendCheck
    up: bool | None
    reason: str
    streak: int = 0
    began: float = 0.0
    question: Question | None = None


class BackendChecks:
    """The backends behind ports of this chassis. `random` gives numbers below another one."""

    def __init__(self, random: Callable[[int], int]) -> None:
        self._random = random
        self._watched: dict[str, _Watched] = {}
        self._open: dict[tuple[str, Asked], str] = {}
        self._queue: DueQueue[str] = DueQueue()

    def __len__(self) -> int:
        return len(self._watched)

    def use(
        self,
        checks: Mapping[str, BackendCheck],
        known: Callable[[str], BackendStatus | None],
        now: float,
    ) -> None:
        """Check these backends, by the keys of their rows; `known` is what is known of new ones."""
        for key in self._watched.keys() - checks.keys():
            self._forget(key)
        for key, check in checks.items():
            before = self._watched.get(key)
            if before is not None and before.check == check:
                continue
            status = known(key)
            if before is not None:
                self._forget(key)
                up, reason = before.up, before.reason
            else:
                up, reason = (None, "") if status is None else (status.up, status.reason)
            watched = _Watched(check, up, reason)
            if not check.mac or check.protocol not in _PROTOCOLS:
                watched.up, watched.reason = False, _NO_MAC
                self._watched[key] = watched
                continue
            self._watched[key] = watched
            self._queue.plan(key, now)

    def due(self, now: float, most: int) -> list[Question]:
        """Return what is to be asked now, `most` questions at most; those before are overdue."""
        questions: list[Question] = []
        while len(questions) < most and (key := self._queue.take(now)) is not None:
            watched = self._watched[key]
            if watched.question is not None:
                self._close(watched)
                self._unanswered(watched)
                again = watched.began + watched.check.interval
                if again > now:
                    self._queue.plan(key, again)
                    continue
            questions.append(self._ask(key, watched, now))
        return questions

    def answered(self, port: str, answer: Answer) -> Question | None:
        """Take an answer that came from a port; returns the question that it is for, if any."""
        key = self._open.get((port, answer.asked))
        watched = None if key is None else self._watched.get(key)
        question = None if watched is None else watched.question
        if key is None or watched is None or question is None:
            return None
        expected = (question.sequence + 1) & 0xFFFFFFFF
        if answer.acknowledged is not None and answer.acknowledged != expected:
            return None
        self._close(watched)
        self._note(watched, not answer.refusal, answer.refusal)
        self._queue.plan(key, watched.began + watched.check.interval)
        return question

    def not_asked(self, question: Question, now: float) -> None:
        """A question could not be sent: that it has no answer says nothing of its backend."""
        key = self._open.get((question.port, question.asked))
        if key is not None:
            self._close(self._watched[key])
            self._queue.plan(key, now + RETRY_SECONDS)

    def seconds_until_next(self, now: float, most: float) -> float:
        """Seconds until something is due, `most` if nothing is before."""
        return self._queue.seconds_until_next(now, most)

    def statement(self) -> BackendStates:
        """What the server is told: all of which something is known."""
        return BackendStates(
            tuple(
                BackendState(each.check.set, each.check.member, each.up, each.reason)
                for _, each in sorted(self._watched.items())
                if each.up is not None
            )
        )

    def _ask(self, key: str, watched: _Watched, now: float) -> Question:
        check = watched.check
        backend = parse_backend(check.member)
        protocol = _PROTOCOLS[check.protocol]
        source = ip_address(check.source).packed
        asked = Asked(protocol, backend.address.packed, backend.port, source, 0)
        while True:
            source_port = FIRST_SOURCE_PORT + self._random(SOURCE_PORTS)
            asked = asked._replace(source_port=source_port)
            if (check.port, asked) not in self._open:
                break
        mac = bytes.fromhex(check.mac.replace(":", ""))
        watched.question = Question(check.port, mac, asked, self._random(1 << 32))
        watched.began = now
        self._open[check.port, asked] = key
        self._queue.plan(key, now + check.timeout)
        return watched.question

    def _unanswered(self, watched: _Watched) -> None:
        if watched.check.protocol == "udp":
            self._note(watched, True, "")
        else:
            self._note(watched, False, f"no answer within {watched.check.timeout} s")

    def _note(self, watched: _Watched, up: bool, reason: str) -> None:
        if watched.up is None:
            watched.up, watched.reason = up, reason
        elif up == watched.up:
            watched.streak = 0
            watched.reason = reason
        else:
            watched.streak += 1
            needed = watched.check.success_count if up else watched.check.failure_count
            if watched.streak >= needed:
                watched.up, watched.reason, watched.streak = up, reason, 0

    def _close(self, watched: _Watched) -> None:
        if watched.question is not None:
            self._open.pop((watched.question.port, watched.question.asked), None)
            watched.question = None

    def _forget(self, key: str) -> None:
        self._close(self._watched.pop(key))
        self._queue.drop(key)
