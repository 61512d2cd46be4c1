"""Why packets find no way through a router."""

from logical_flow.because import Because, EndKind, Subject

NO_ROUTE = Because(
    EndKind.NO_ROUTE,
    "dropped: {authored_object}, has no route to {destination}",
    about=Subject.DATAPATH,
)
DISCARDED = Because(EndKind.DISCARDED, "discarded by {authored_object}")
LINK_LOCAL_ONLY = Because(
    EndKind.ROUTER,
    "not forwarded by {object}: packets from and to link-local addresses stay on their link",
    about=Subject.DATAPATH,
)
