"""Why BFD packets end."""

from logical_flow.because import Because, EndKind

TAKEN = Because(EndKind.ROUTER, "taken by {object}: it is the agent's to see")
FROM_AFAR = Because(
    EndKind.ROUTER,
    "dropped by {object}: BFD packets of a neighbour come from the same link (TTL 255, RFC 5881 "
    "section 5), and not with the TTL {ttl}",
)
