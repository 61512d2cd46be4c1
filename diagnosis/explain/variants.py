"""One question in several worlds: an answer that holds in all that may be, or none.

What a question leaves open is tried in more than one way: with any port of the client, with each
of those who may have an address, with each backend of a virtual address, with guests that leave
everything to their gateway, with other addresses of the ends. Where the answer is the same it
holds. Where it hangs on the client's port, on who has an address or on the backend, it is not
known. Where it hangs on how guests behave or which of its addresses an end uses, the usual is
taken, and that is told with what would be otherwise.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from diagnosis.answers import Answer, Assumption, AssumptionKind, all_of
from diagnosis.explain.checks import Check, Obstacle, sentence
from diagnosis.explain.client_ports import MOST_PORTS, USUAL, ports_to_try
from diagnosis.explain.path import examine
from diagnosis.explain.question import Question
from diagnosis.explain.scene import Scene
from diagnosis.explain.worlds import Owned, World
from diagnosis.trace.claims import Claim, Evidence

_MOST_CLAIMS = 4
"""How many of those who may have an address are tried."""
_MOST_BACKENDS = 16
"""How many backends of a virtual address are tried."""
_MOST_OTHERS = 3
"""How many other addresses of the ends are tried."""


@dataclass(frozen=True)
class Run:
    """What was found in one world."""

    scene: Scene
    checks: list[Check]

    @property
    def answer(self) -> Answer:
        return all_of(check.answer for check in self.checks)

    @property
    def text(self) -> str:
        """The answer in short, with its reason."""
        for check in self.checks:
            if check.obstacle is not None and check.answer is self.answer:
                return f"{_SHORT[self.answer]}: {sentence(check, check.obstacle)}"
        return _SHORT[self.answer]

    @property
    def obstacles(self) -> Iterator[Obstacle]:
        return (check.obstacle for check in self.checks if check.obstacle is not None)


_SHORT = {Answer.YES: "yes", Answer.NO: "no", Answer.UNKNOWN: "not known"}


@dataclass
class Found:
    """The answer to a question, and `shown`, the run that is told in full.

    `usual` is the one in the usual world, which others are compared with.
    """

    usual: Run
    shown: Run
    answer: Answer
    unknowns: list[str] = field(default_factory=list)
    """What the answer hangs on, where the checks that are shown don't say so themselves."""
    assumptions: list[Assumption] = field(default_factory=list)


def usual_world(question: Question) -> World:
    return World(via_gateway=question.via_gateway, asks_names=bool(question.query))


def look(scene: Scene, question: Question) -> Found:
    """What is found in the usual world alone: enough to find the next obstacle."""
    run = _run(scene, question, usual_world(question))
    return Found(run, run, run.answer, [], list(run.scene.guesses.assumptions))


def look_around(scene: Scene, question: Question) -> Found:
    """What is found in all worlds that may be."""
    world = usual_world(question)
    run = _run(scene, question, world)
    found = Found(run, run, run.answer, [], list(run.scene.guesses.assumptions))

    def again(**changes: object) -> Run:
        return _run(scene, question, replace(world, **changes))  # type: ignore[arg-type]

    for key, claims in run.scene.guesses.owners.items():
        if _is_given(question, key):
            continue
        _try_owners(found, key, claims, again)
    for name, backends in run.scene.guesses.backends.items():
        _try_backends(found, name, backends, again)
    _try_client_ports(found, scene, question, again)
    if question.guests is None and run.scene.guesses.detours:
        text = "workloads send to their own subnet themselves, not through their gateway"
        _tell_if_other(found, AssumptionKind.GUEST, text, again(via_gateway=True))
    _try_other_ends(found, scene, question, world)
    return found


def _run(scene: Scene, question: Question, world: World) -> Run:
    here = scene.elsewhere(world)
    return Run(here, examine(here, question))


def _is_given(question: Question, key: Owned) -> bool:
    """Whether the question says itself who has an address: a host outside, from which it comes."""
    entry, ends = question.entry, question.ends
    if ends is None or not entry.kind.leads_outside:
        return False
    return key == (entry.datapath, str(ends.source))


def _try_owners(
    found: Found, key: Owned, claims: Sequence[Claim], again: Callable[..., Run]
) -> None:
    """Try each of those who may have an address."""
    _, address = key
    runs = [found.usual]
    runs += [again(owners={key: place}) for place in range(1, min(len(claims), _MOST_CLAIMS))]
    who = " or ".join(claim.text for claim in claims[:_MOST_CLAIMS])
    who += f" or {len(claims) - _MOST_CLAIMS} more" if len(claims) > _MOST_CLAIMS else ""
    answers = {run.answer for run in runs}
    if len(answers) > 1 or len(claims) > _MOST_CLAIMS:
        each = "; ".join(
            f"with {claim.port.name} {run.text}" for claim, run in zip(claims, runs, strict=False)
        )
        _not_known(found, f"it hangs on who has {address}, {who}: {each}", runs)
    elif answers == {Answer.YES} and all(claim.evidence.is_open for claim in claims):
        text = f"no port is declared to have {address}; it may be behind {who}"
        if any(claim.evidence is Evidence.OUTSIDE for claim in claims):
            text += ". As far as this network goes they reach each other"
        _not_known(found, text, runs)
    else:
        text = f"{address} is behind {who}"
        found.assumptions.append(Assumption(AssumptionKind.OWNER, text))


def _try_backends(
    found: Found, name: str, backends: Sequence[str], again: Callable[..., Run]
) -> None:
    """Try each of the backends that a connection may get."""
    tried = backends[:_MOST_BACKENDS]
    runs = {backend: again(backends={name: place}) for place, backend in enumerate(tried)}
    different = {run.answer: (backend, run) for backend, run in reversed(runs.items())}
    left = len(backends) - len(tried)
    untried = f"; {left} more were not tried" if left else ""
    if len(different) > 1:
        each = "; ".join(f"with {backend} {run.text}" for backend, run in different.values())
        because = f"it hangs on which backend the connection gets: {each}{untried}"
        _not_known(found, because, list(runs.values()))
        return
    text = f"the connection gets backend {tried[0]}; with {', '.join(tried[1:])} it fares alike"
    found.assumptions.append(Assumption(AssumptionKind.BACKEND, f"{text}{untried}"))


def _try_client_ports(
    found: Found, scene: Scene, question: Question, again: Callable[..., Run]
) -> None:
    """Find out whether the answer is the same for all ports that a client may ask from."""
    if question.client_port_field is None:
        return
    symbolic = again(client_port=None)
    if symbolic.answer is found.usual.answer:
        return
    ports = ports_to_try(scene.reader)
    usual = [port for port in ports if port >= USUAL]
    others = [port for port in ports if port < USUAL]
    runs = {port: again(client_port=port) for port in usual[:MOST_PORTS]}
    different = {run.answer: (port, run) for port, run in reversed(runs.items())}
    if len(different) > 1 or len(usual) > MOST_PORTS:
        each = "; ".join(f"from {port} {run.text}" for port, run in different.values())
        because = "it hangs on the client's port, which the question doesn't give"
        _not_known(found, f"{because}: {each}", [run for _, run in different.values()])
        return
    tried = ((port, again(client_port=port)) for port in others[:MOST_PORTS])
    other = next(((p, run) for p, run in tried if run.answer is not found.usual.answer), None)
    if other is not None or len(others) > MOST_PORTS:
        text = f"the client asks from a port of {USUAL} or above"
        told = None if other is None else f"from {other[0]} {other[1].text}"
        found.assumptions.append(Assumption(AssumptionKind.CLIENT_PORT, text, told))


def _try_other_ends(found: Found, scene: Scene, question: Question, world: World) -> None:
    for ends in question.others[:_MOST_OTHERS]:
        other = _run(scene, replace(question, ends=ends, others=()), world)
        primary = question.ends
        if primary is None or other.answer is found.usual.answer:
            continue
        text = f"it is from {primary.source} to {primary.destination}"
        otherwise = f"from {ends.source} to {ends.destination} {other.text}"
        found.assumptions.append(Assumption(AssumptionKind.ADDRESS, text, otherwise))
    left = len(question.others) - _MOST_OTHERS
    if left > 0 and question.ends is not None:
        text = f"it is from {question.ends.source} to {question.ends.destination}"
        told = f"{left} more pairs of their addresses were not tried"
        found.assumptions.append(Assumption(AssumptionKind.ADDRESS, f"{text}: {told}"))


def _tell_if_other(found: Found, kind: AssumptionKind, text: str, other: Run) -> None:
    if other.answer is not found.usual.answer:
        found.assumptions.append(Assumption(kind, text, other.text))


def _not_known(found: Found, because: str, runs: Sequence[Run]) -> None:
    """Say that it hangs on something, and show the run in which something is in the way."""
    found.answer = Answer.UNKNOWN
    found.unknowns.append(because)
    if found.shown.answer is Answer.YES:
        found.shown = next((run for run in runs if run.answer is not Answer.YES), found.shown)
