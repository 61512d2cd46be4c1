"""Gives each punted packet to the handler of its opcode, and counts what happened.

The runtime gives every packet-in to `Dispatcher.receive`. Nothing here awaits anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import structlog

from chassis_agent.openflow.packet_in import PacketIn
from chassis_agent.punt.errors import PuntError
from chassis_agent.punt.handler import Handler, Punt
from chassis_agent.punt.opcodes import Opcode, decode_userdata

log = structlog.get_logger(__name__)


class Dispatcher:
    """Handles punted packets by `handlers`, of which each opcode has exactly one."""

    def __init__(self, handlers: Iterable[Handler]) -> None:
        self._handlers: dict[Opcode, Handler] = {}
        for handler in handlers:
            for opcode in handler.opcodes:
                if opcode in self._handlers:
                    raise ValueError(f"two handlers of {opcode.name}")
                self._handlers[opcode] = handler
        if missing := [opcode.name for opcode in Opcode if opcode not in self._handlers]:
            raise ValueError(f"no handler of {', '.join(missing)}")
        self.received: Counter[Opcode | None] = Counter()
        self.malformed: Counter[Opcode | None] = Counter()
        self.failed: Counter[Opcode | None] = Counter()

    def receive(self, packet: PacketIn) -> None:
        """Handle one packet; whatever is wrong with it is counted, and goes no further."""
        opcode: Opcode | None = None
        try:
            userdata = decode_userdata(packet.userdata)
            opcode = userdata.opcode
            self.received[opcode] += 1
            self._handlers[opcode].handle(Punt(opcode, userdata.body, packet))
        except PuntError as error:
            self.malformed[opcode] += 1
            log.debug("punt.malformed", opcode=opcode and opcode.name, error=str(error))
        except Exception:
            self.failed[opcode] += 1
            log.exception("punt.failed", opcode=opcode and opcode.name)
