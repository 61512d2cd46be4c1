"""What becomes of a BFD session: a row for the agents, and flows for its packets."""

from collections.abc import Iterator

from incremental import Read
from logical_flow.holes import Argument
from logical_flow.template import LogicalFlow
from southbound.rows import BfdSession as SessionRow
from translator.addresses import ip_text
from translator.derivations.result import Flows
from translator.features.bfd.inputs import TABLE, BfdSession
from translator.features.bfd.stages import LrInBfd, LrOutBfd
from translator.features.gateways.relations import resident_of
from translator.features.routing.flows import source_towards
from translator.inputs import LogicalRouter, LogicalRouterPort

_SPARE = 3
"""So many times what the neighbour may send is taken, and so many packets a second besides."""


def bfd_session(read: Read, session: str) -> SessionRow | None:
    """The session as agents run it; one of a port that no chassis is in charge of is run nowhere.

    >>> from incremental import RecordedFacts
    >>> from translator.addresses import interface, ip_bytes, mac_bytes
    >>> lrp = LogicalRouterPort("q", "r", "r-out", 1, True, mac_bytes("0a:00:00:00:00:02"),
    ...     (interface("192.0.2.1/24"),), (), "", redirect_key=2)
    >>> row = BfdSession("s", "q", ip_bytes("192.0.2.9"), 300, 300, 3, True)
    >>> facts = RecordedFacts({LogicalRouterPort: {"q": lrp}, BfdSession: {"s": row},
    ...     LogicalRouter: {"r": LogicalRouter("r", "r", True, 1)}})
    >>> told = bfd_session(facts, "s")
    >>> told.port, told.resident, told.source, told.neighbour
    ('r-out', 'cr-r-out', '192.0.2.1', '192.0.2.9')
    """
    row = read(BfdSession, session)
    port = None if row is None else read(LogicalRouterPort, row.port)
    router = None if port is None else read(LogicalRouter, port.router)
    if row is None or port is None or router is None:
        return None
    return SessionRow(
        id=session,
        datapath=port.router,
        port=port.name,
        resident=resident_of(read, port),
        source=ip_text(source_towards(port, row.neighbour)),
        neighbour=ip_text(row.neighbour),
        min_tx=row.min_tx,
        min_rx=row.min_rx,
        detect_mult=row.detect_mult,
        enabled=row.enabled and port.enabled and router.enabled,
    )


def bfd_flows(read: Read, session: str) -> Flows | None:
    """The flows that the packets of a session take, in and out.

    >>> from incremental import RecordedFacts
    >>> from translator.addresses import interface, ip_bytes, mac_bytes
    >>> lrp = LogicalRouterPort("q", "r", "r-out", 1, True, mac_bytes("0a:00:00:00:00:02"),
    ...     (interface("192.0.2.1/24"),), (), "", redirect_key=2)
    >>> row = BfdSession("s", "q", ip_bytes("192.0.2.9"), 300, 300, 3, True)
    >>> facts = RecordedFacts({LogicalRouterPort: {"q": lrp}, BfdSession: {"s": row},
    ...     LogicalRouter: {"r": LogicalRouter("r", "r", True, 1)}})
    >>> for flow in bfd_flows(facts, "s").flows:
    ...     print(flow.template.stage, flow.template.name)
    lr_in_bfd received4
    lr_in_bfd from_afar4
    lr_in_bfd sent4
    lr_out_bfd sent4
    """
    row = read(BfdSession, session)
    port = None if row is None else read(LogicalRouterPort, row.port)
    router = None if port is None else read(LogicalRouter, port.router)
    if row is None or port is None or router is None or not (port.enabled and router.enabled):
        return None
    return Flows(port.router, TABLE.name, session, tuple(_flows(row, port)))


def _flows(row: BfdSession, port: LogicalRouterPort) -> Iterator[LogicalFlow]:
    ends: dict[str, Argument] = {
        "port": port.name,
        "neighbour": row.neighbour,
        "source": source_towards(port, row.neighbour),
    }
    rate = _SPARE + _SPARE * 1000 // row.min_rx
    if len(row.neighbour) == 4:
        yield LrInBfd.received4(rate=rate, **ends)
        yield LrInBfd.from_afar4(**ends)
        yield LrInBfd.sent4(mac=port.mac, **ends)
        yield LrOutBfd.sent4(**ends)
    else:
        yield LrInBfd.received6(rate=rate, **ends)
        yield LrInBfd.from_afar6(**ends)
        yield LrInBfd.sent6(mac=port.mac, **ends)
        yield LrOutBfd.sent6(**ends)
