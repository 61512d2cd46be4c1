"""Whether what came out of the two labs is the same, or what is known to account for it.

Differences between the logical flows of the two systems are listed once, in
`tests.differential.network.intended`, each with what our flows would be without it.
One of them accounts for a difference on real switches if the walk over our flows says
what came out of our lab, and the walk without the difference what came out of the other.
"""

import re
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from logical_flow.evaluate import Packet
from logical_flow.fields import SYMBOLS
from logical_flow.packet import format_value
from tests.differential.lab.canonical import (
    canonical,
    is_superfluous,
    returns_to_its_sender,
    tells_all_nodes,
)
from tests.differential.lab.conversation import Step
from tests.differential.lab.plan import secured_ports, translated_addresses
from tests.differential.lab.questions import Questions, asks_for, is_question
from tests.differential.lab.taps import Arrival
from tests.differential.network.intended import IN_SWITCHES, INTENDED
from tests.differential.network.intended.gateways import AT_OTHER_CHASSIS
from tests.differential.network.outcome import Outcome, delivery
from tests.differential.network.outside import heard_outside
from tests.differential.network.packets import STATES
from tests.differential.network.probe import Probe
from tests.differential.network.topologies import Document
from tests.differential.network.treadle import Treadle, Undo
from tests.differential.network.undoing import undoing
from tests.system.agent.frame_fields import fields_of

SWITCHES = (
    *(each for each in INTENDED if not each.name.startswith("ovn-trace")),
    *IN_SWITCHES,
)
"""What switches do differently; the others are of ``ovn-trace`` alone."""

FROM_ELSEWHERE = (
    *(each for each in SWITCHES if each.name != AT_OTHER_CHASSIS.name),
    AT_OTHER_CHASSIS,
)
"""The same, for who isn't on the chassis in charge of a gateway port."""


class Verdict(NamedTuple):
    """How a step ended. `difference` is empty if the labs agree or are known to differ."""

    probe: Probe
    step: Step
    intended: bool
    difference: str

    def __str__(self) -> str:
        sent = f"{self.step.port} sent {_described(fields_of(self.step.frame))}"
        return f"{self.probe.packet}\n  connection: {self.probe.state}\n  {sent}\n{self.difference}"


class Asked(NamedTuple):
    """The questions for neighbours of either lab, in one network."""

    ours: Questions
    theirs: Questions


def judge(
    probe: Probe, step: Step, document: Document, walker: Callable[[], Treadle], asked: Asked
) -> Verdict:
    """Of a step of a probe in the network of `document`, which `walker` walks in if need be.

    `asked` is what was asked there before, and gets what is asked in this step.
    """
    ours, theirs = Counter(step.ours), Counter(step.theirs)
    secured = secured_ports(document)
    for arrival in set(theirs) - set(ours):
        if is_superfluous(arrival.frame, step.frame):
            del theirs[arrival]
    for arrival in set(ours) - set(theirs):
        tells_all = arrival.port in secured and tells_all_nodes(arrival.frame)
        returns = arrival.port == step.port and returns_to_its_sender(arrival.frame, step.frame)
        if tells_all or returns:
            del ours[arrival]
    ours, theirs = _canonical(ours, step.frame), _canonical(theirs, step.frame)
    all_that_came = _headers(ours), _headers(theirs)
    ours, theirs = (
        asked.ours.without_repeats(ours, theirs, step.frame),
        asked.theirs.without_repeats(theirs, ours, step.frame),
    )
    if ours == theirs:
        return Verdict(probe, step, intended=False, difference="")
    if ours == _without_questions_for(set(translated_addresses(document)), theirs, step.frame):
        return Verdict(probe, step, intended=True, difference="")
    undos = [undoing(differences, document) for differences in (SWITCHES, FROM_ELSEWHERE)]
    if any(
        _is_intended(step, walker(), undo, document, *came)
        for came in (all_that_came, (_headers(ours), _headers(theirs)))
        for undo in undos
    ):
        return Verdict(probe, step, intended=True, difference="")
    lines = [f"  only Treadle: {_text(arrival)}" for arrival in (ours - theirs).elements()]
    lines += [f"  only OVN:     {_text(arrival)}" for arrival in (theirs - ours).elements()]
    return Verdict(probe, step, intended=False, difference="\n".join(lines))


def _without_questions_for(
    ips: set[str], arrivals: Counter[Arrival], sent: bytes
) -> Counter[Arrival]:
    """What came out, but for questions of routers for addresses that OVN's translate themselves."""
    return Counter(
        {
            arrival: count
            for arrival, count in arrivals.items()
            if not (is_question(arrival.frame, sent) and asks_for(arrival.frame, ips))
        }
    )


def _canonical(arrivals: Counter[Arrival], sent: bytes) -> Counter[Arrival]:
    found: Counter[Arrival] = Counter()
    for (port, frame), count in arrivals.items():
        found[Arrival(port, canonical(frame, sent))] += count
    return found


def _is_intended(
    step: Step, treadle: Treadle, undo: Undo, document: Document, ours: Outcome, theirs: Outcome
) -> bool:
    """Whichever state the connection is in: the walk isn't told what the switches know."""
    sent = f'inport == "{step.port}" && {_described(fields_of(step.frame), " && ", " == ")}'

    def heard(probe: Probe, outcome: Outcome) -> Outcome:
        return _comparable(heard_outside(document, probe, outcome))

    return any(
        heard(probe, treadle.outcome(probe)) == ours
        and heard(probe, treadle.outcome_without(undo, probe)) == theirs
        for probe in (Probe(sent, state) for state in dict.fromkeys(STATES))
    )


def _headers(arrivals: Counter[Arrival]) -> Outcome:
    found = Outcome()
    for (port, frame), count in arrivals.items():
        found[delivery(port, fields_of(frame))] += count
    return _comparable(found)


def _comparable(outcome: Outcome) -> Outcome:
    """Without the address that a router asks from, as in `canonical`."""
    found = Outcome()
    for text, count in outcome.items():
        if "icmp6.type=0x87" in text:
            text = re.sub(r"ip6\.src=[^,]*", "ip6.src=::", text)
        found[text] += count
    return found


def _text(arrival: Arrival) -> str:
    fields = _described(fields_of(arrival.frame))
    return f"{arrival.port}: {fields} ({arrival.frame.hex()})"


def _described(packet: Packet, separator: str = ", ", equals: str = "=") -> str:
    """The fields of a packet; what an ICMP error quotes is none that a match could name."""
    fields = {name: value for name, value in packet.items() if name in SYMBOLS}
    shown = (f"{name}{equals}{format_value(name, value)}" for name, value in fields.items())
    return separator.join(shown)
