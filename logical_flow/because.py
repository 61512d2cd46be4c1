"""Why a flow, or the default of a stage, ends packets: declared where the flow is.

A template that ends packets says it with ``because=``, a stage that drops what no flow takes
likewise. What is declared is the sentence and what it is about; which object that is, and who
added it, is found out for the packet that ended there (:mod:`diagnosis.explain.reasons`). What
stands after "the request is" or "the reply is" is written so that it can.

Reasons are for explanations: they don't travel to agents, and are no part of a template's id.
"""

from dataclasses import dataclass
from enum import StrEnum
from string import Formatter

from logical_flow.errors import TemplateError


class EndKind(StrEnum):
    """What kind of obstacle ends a packet; for each there are remedies of its own."""

    PORT_SECURITY = "port-security"
    NO_ROUTE = "no-route"
    DISCARDED = "discarded"
    POLICY = "policy"
    TTL = "ttl"
    UNKNOWN_DESTINATION = "unknown-destination"
    ADMISSION = "admission"
    DISABLED = "disabled"
    ROUTER = "router"
    CONNECTION = "connection"
    NAT = "nat"
    NO_BACKEND = "no-backend"
    TOO_BIG = "too-big"
    FAULT = "fault"


class Subject(StrEnum):
    """Which object a sentence is about."""

    CAUSE = "cause"
    """The one that the flow is there for."""
    INPORT = "inport"
    OUTPORT = "outport"
    DATAPATH = "datapath"
    """The switch or router in which the packet ended."""


class Opening(StrEnum):
    """The port that has to be open; if it is closed, that is the reason instead."""

    INPORT = "inport"
    OUTPORT = "outport"
    DESTINATION = "destination"
    """The port that leads to the router port with the packet's destination MAC address."""


OBJECT, AUTHORED_OBJECT = "object", "authored_object"
"""Facts of a sentence: the object that it is about in words, alone or with its last author."""


class Fact(StrEnum):
    """What a sentence may tell of the packet, as ``{name}``."""

    MAC_SOURCE = "mac_source"
    MAC_DESTINATION = "mac_destination"
    SENDER = "sender"
    """IP address and MAC address, as far as there are some, that it claims to be from."""
    RECEIVER = "receiver"
    """The same of whom it is for."""
    DESTINATION = "destination"
    """The IP address that it is for."""
    ENDS = "ends"
    """From which IP address to which it goes."""
    TTL = "ttl"
    SERVICE = "service"
    """Protocol and port that it asks for."""


_KNOWN = {OBJECT, AUTHORED_OBJECT, *Fact}


@dataclass(frozen=True, slots=True)
class Because:
    """Why packets end. Raises :class:`TemplateError` if `text` has a fact that isn't known.

    >>> Because(EndKind.ADMISSION, "dropped by {object}: {colour} packets are not admitted")
    Traceback (most recent call last):
    logical_flow.errors.TemplateError: `{colour}' is no fact that a reason can tell
    """

    kind: EndKind
    text: str
    about: Subject = Subject.CAUSE
    if_open: Opening | None = None

    def __post_init__(self) -> None:
        for _, name, _, _ in Formatter().parse(self.text):
            if name is not None and name not in _KNOWN:
                raise TemplateError(f"`{{{name}}}' is no fact that a reason can tell")
