"""All handlers of punted packets. A new one is added here, and has its opcode in `opcodes`."""

from __future__ import annotations

from typing import NamedTuple

from chassis_agent.punt.advertisements import SolicitationHandler
from chassis_agent.punt.answering import AnsweringHandler
from chassis_agent.punt.backends import BackendAnswerHandler
from chassis_agent.punt.dhcp import DeclinedAddresses, DhcpHandler
from chassis_agent.punt.handler import PuntHost
from chassis_agent.punt.liveness import BfdHandler
from chassis_agent.punt.name_lookup import NameLookupHandler
from chassis_agent.punt.next_hops import NextHopHandler
from chassis_agent.punt.noting import (
    ActivationHandler,
    LearningHandler,
    LogHandler,
    ProbeHandler,
    VirtualHandler,
)
from chassis_agent.punt.too_big import PacketTooBigHandler


class Handlers(NamedTuple):
    """The handlers, each opcode's among them."""

    answering: AnsweringHandler
    name_lookups: NameLookupHandler
    too_big: PacketTooBigHandler
    next_hops: NextHopHandler
    learning: LearningHandler
    logging: LogHandler
    probes: ProbeHandler
    dhcp: DhcpHandler
    router_solicitations: SolicitationHandler
    activations: ActivationHandler
    virtual_ports: VirtualHandler
    bfd: BfdHandler
    backends: BackendAnswerHandler


def punt_handlers(host: PuntHost) -> Handlers:
    """Make the handlers of an agent."""
    return Handlers(
        answering=AnsweringHandler(host.send),
        name_lookups=NameLookupHandler(host),
        too_big=PacketTooBigHandler(host.send),
        next_hops=NextHopHandler(host),
        learning=LearningHandler(host.learner),
        logging=LogHandler(host.packet_log),
        probes=ProbeHandler(host.probe_answered),
        dhcp=DhcpHandler(host.send, DeclinedAddresses(host.ports, host.clock)),
        router_solicitations=SolicitationHandler(host),
        activations=ActivationHandler(host.port_spoke),
        virtual_ports=VirtualHandler(host.address_claimed),
        bfd=BfdHandler(host.bfd_received),
        backends=BackendAnswerHandler(host.backend_answered),
    )
