"""Why routers don't take packets, answer instead of what was asked, or don't forward."""

from logical_flow.because import Because, EndKind, Opening, Subject


def _not_forwarded(why: str) -> Because:
    text = f"not forwarded by {{object}}: {why}"
    return Because(EndKind.ROUTER, text, about=Subject.DATAPATH)


NOT_ADMITTED = Because(
    EndKind.ADMISSION,
    "dropped by {object}: {mac_destination} is not its MAC address",
    about=Subject.INPORT,
    if_open=Opening.INPORT,
)
NOT_DELIVERED = Because(
    EndKind.ADMISSION,
    "dropped by {object}: {mac_destination} is not its MAC address",
    about=Subject.INPORT,
    if_open=Opening.OUTPORT,
)
MARTIAN = _not_forwarded("no network has packets {ends} for another")
OWN_SOURCE = _not_forwarded("its own address is the source, {sender}")
BROADCAST_SOURCE = _not_forwarded("a broadcast address is the source, {sender}")
NEIGHBOURS_ONLY = _not_forwarded(
    "ARP and neighbour discovery stay where they are, and this asks for none of its addresses"
)
MULTICAST = _not_forwarded("multicast and broadcast stay where they are")
UNSPECIFIED = _not_forwarded("its source is ::, whose packets stay where they are")
REFUSED = Because(
    EndKind.ROUTER,
    "refused by {object}: the address is its own, and nothing there takes {service}",
)
EXPIRED = Because(
    EndKind.TTL,
    "dropped by {object}: its time to live is over, it came there with {ttl}",
    about=Subject.DATAPATH,
)
