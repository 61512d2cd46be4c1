"""What a change that is proposed takes from others: who has an address, and what works.

Addresses that ports get by it are compared with who may have them already. And a few questions
near the one that was asked are answered before and after: whoever got through has to go on to.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from diagnosis.answers import Answer
from diagnosis.explain.documents import ReachabilityRequest
from diagnosis.explain.question import Question, understand
from diagnosis.explain.scene import Scene
from diagnosis.explain.variants import look
from diagnosis.trace.addressing import hosts
from diagnosis.trace.claims import claims
from diagnosis.trace.words import TRANSPORTS
from northbound.errors import RequestError
from southbound.rows import PortBinding

_PEERS = 1
"""How many other ports of each end's switch are asked about."""


@dataclass(frozen=True)
class Witness:
    """Whether one port reaches another that a change for other ends might harm."""

    wanted: ReachabilityRequest
    answer: Answer

    @property
    def text(self) -> str:
        wanted = self.wanted
        return f"{wanted.source} reaches {wanted.destination} by {wanted.service}"


def witnesses(scene: Scene, question: Question, target: PortBinding | None) -> list[Witness]:
    """What is answered to questions near one whose packets end at `target`, if that is known."""
    return ask(scene, [*_nearby(scene, question, target)])


def ask(scene: Scene, wanted: Sequence[ReachabilityRequest]) -> list[Witness]:
    """What is answered to each."""
    return [Witness(each, _answer(scene, each)) for each in wanted]


def broken(before: Sequence[Witness], after: Sequence[Witness]) -> Iterator[str]:
    """What was answered by yes, and is no longer."""
    for was, is_now in zip(before, after, strict=True):
        if was.answer is Answer.YES and is_now.answer is not Answer.YES:
            yield f"{was.text} without it, and with it no longer"


def taken(
    scene: Scene, changed: Sequence[PortBinding], before: Sequence[PortBinding]
) -> Iterator[str]:
    """Addresses that `changed` ports have and had not `before`, and others may have already."""
    known = {port.name: {a for host in hosts(port) for a in host.addresses} for port in before}
    for port in changed:
        if not port.kind.is_workload:
            continue
        old = known.get(port.name, set())
        for address in (a for host in hosts(port) for a in host.addresses if a not in old):
            for claim in claims(scene.reader, scene.snapshot, port.datapath, address):
                if claim.port.name != port.name:
                    yield f"{address} would be {port.name}'s, and may be in use behind {claim.text}"


def _nearby(
    scene: Scene, question: Question, target: PortBinding | None
) -> Iterator[ReachabilityRequest]:
    ends = [question.entry] + ([] if target is None else [target])
    pairs: list[tuple[str, str]] = []
    for end in ends:
        for peer in islice(_peers(scene, end), _PEERS):
            pairs += [(peer, each.name) for each in ends]
            pairs += [(each.name, peer) for each in ends]
    if target is not None:
        pairs.append((target.name, question.entry.name))
    for source, destination in dict.fromkeys(pairs):
        if source != destination:
            yield ReachabilityRequest(
                source=source,
                destination=destination,
                service=_service(question),
                guests=question.guests,
            )


def _peers(scene: Scene, end: PortBinding) -> Iterator[str]:
    """Other ports of a port's switch, those with addresses."""
    for name in sorted(port.name for port in scene.snapshot.ports):
        port = scene.ports[name]
        is_other = port.datapath == end.datapath and name != end.name and port.kind.is_workload
        if is_other and port.enabled and any(host.addresses for host in hosts(port)):
            yield name


def _answer(scene: Scene, wanted: ReachabilityRequest) -> Answer:
    try:
        question = understand(wanted, scene.ports)
    except RequestError:
        return Answer.UNKNOWN  # The two have no addresses of the same family, say.
    return look(scene, question).answer


def _service(question: Question) -> str:
    words = question.words
    if words is None or words.protocol not in TRANSPORTS:
        return "icmp"
    return f"{words.protocol}/{words.destination.port}"
