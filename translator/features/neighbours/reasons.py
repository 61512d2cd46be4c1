"""Why packets for a next hop end whose MAC address can't be found."""

from logical_flow.because import Because, EndKind, Subject

NO_NEXT_HOP = Because(
    EndKind.ROUTER,
    "not forwarded by {object}: it has no means to find the MAC address of the next hop",
    about=Subject.DATAPATH,
)
