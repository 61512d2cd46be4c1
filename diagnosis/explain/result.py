"""The answer to a question as a document."""

from collections.abc import Sequence
from typing import Any

from diagnosis.answers import Answer
from diagnosis.explain import packets
from diagnosis.explain.checks import Check, CheckKind, sentence
from diagnosis.explain.question import Question
from diagnosis.explain.remedies.case import Operation, Remedy
from diagnosis.explain.scene import Scene
from diagnosis.explain.tried import Tried
from diagnosis.explain.variants import Found
from diagnosis.trace.endings import ending
from diagnosis.trace.result import steps, verdict

Document = dict[str, Any]


def answer(
    question: Question, found: Found, remedies: Sequence[Remedy | None], *, with_steps: bool
) -> Document:
    """What was found; `remedies` belong to the checks that failed, in their order."""
    scene, checks = found.shown.scene, found.shown.checks
    failed = [check for check in checks if not check.passed]
    return {
        "answer": found.answer.value,
        "reachable": found.answer.truth,
        "text": _text(question, found),
        "unknowns": unknowns(found),
        "assumptions": [each.document() for each in dict.fromkeys(found.assumptions)],
        "source": question.entry.name,
        "destination": _destination(question, checks),
        "service": question.service,
        "revision": scene.snapshot.revision,
        "checks": [_check(scene, check, with_steps=with_steps) for check in checks],
        "obstacles": [
            {
                "kind": obstacle.kind.value,
                "certain": obstacle.certain,
                "text": sentence(check, obstacle),
                "cause": None if obstacle.cause is None else obstacle.cause._asdict(),
                "remedy": None if remedy is None else _remedy(remedy),
            }
            for check, remedy in zip(failed, remedies, strict=True)
            if (obstacle := check.obstacle) is not None
        ],
        "proposal": None,
        "live": None,
    }


def unknowns(found: Found) -> list[str]:
    """Why the answer is not known; nothing if it is."""
    if found.answer is not Answer.UNKNOWN:
        return []
    uncertain = [
        sentence(check, check.obstacle)
        for check in found.shown.checks
        if check.obstacle is not None and not check.obstacle.certain
    ]
    return [*found.unknowns, *uncertain]


def proposal(tried: Tried) -> Document | None:
    """All remedies as one; None without any."""
    remedies = tried.remedies
    if not remedies:
        return None
    operations: list[Operation] = []
    for remedy in remedies:
        operations += [each for each in remedy.operations if each not in operations]
    sent = [remedy.packet for remedy in remedies if remedy.packet is not None]
    assumed = [*tried.assumptions, *(each for remedy in remedies for each in remedy.assumes)]
    return {
        "text": list(dict.fromkeys(remedy.text for remedy in remedies)),
        "transaction": {"operations": operations} if operations else None,
        "packet": packets.as_match(sent[-1]) if sent else None,
        "commands": list(dict.fromkeys(c for remedy in remedies for c in remedy.commands)),
        "sufficient": tried.sufficient.truth,
        "unknowns": tried.unknowns,
        "breaks": tried.breaks,
        "remaining": tried.remaining,
        "assumptions": [each.document() for each in dict.fromkeys(assumed)],
    }


def _text(question: Question, found: Found) -> str:
    checks = found.shown.checks
    if found.answer is Answer.UNKNOWN:
        return f"not known, because {unknowns(found)[0]}"
    for check in checks:
        if check.obstacle is not None and check.answer is found.answer:
            return f"no: {sentence(check, check.obstacle)}"
    replied = any(check.kind is CheckKind.REPLY for check in checks)
    if question.query and not replied:
        return f"yes: {checks[-1].text}"
    ends = f"{_source(question)} reaches {_reached(question, found)}"
    what = ends if question.words is None else f"{ends} by {question.service}"
    return f"yes: {what}" + (", and replies come back" if replied else "")


def _source(question: Question) -> str:
    entry, ends = question.entry, question.ends
    if entry.kind.leads_outside and ends is not None:
        return f"{ends.source} beyond {entry.name}"
    return entry.name


def _reached(question: Question, found: Found) -> str:
    name = _destination(question, found.shown.checks)
    if name is None:
        return "the network"
    if found.shown.scene.ports[name].kind.leads_outside and question.ends is not None:
        return f"{question.ends.destination} beyond {name}"
    return name


def _destination(question: Question, checks: Sequence[Check]) -> str | None:
    if question.target is not None:
        return question.target.name
    for check in checks:
        if check.kind is CheckKind.REQUEST and check.walk is not None:
            ports = {each.port for each in ending(check.walk, check.port.name).forwarded}
            return ports.pop() if len(ports) == 1 else None
    return None


def _check(scene: Scene, check: Check, *, with_steps: bool) -> Document:
    trace = None
    journey = check.journey
    if journey is not None and check.walk is not None and check.packet is not None:
        trace = {
            "inport": check.port.name,
            "packet": packets.described(check.packet),
            "match": packets.as_match(check.packet),
            "connection": check.connection,
            "verdict": verdict(journey, scene.causes, scene.hosting),
            "steps": steps(check.walk, scene.causes) if with_steps else None,
        }
    return {
        "kind": check.kind.value,
        "port": check.port.name,
        "chassis": check.port.chassis or None,
        "passed": check.answer.truth,
        "text": check.text,
        "trace": trace,
    }


def _remedy(remedy: Remedy) -> Document:
    return {
        "text": remedy.text,
        "operations": list(remedy.operations),
        "packet": None if remedy.packet is None else packets.as_match(remedy.packet),
        "commands": list(remedy.commands),
    }
