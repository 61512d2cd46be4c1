"""Why packets for translated addresses end."""

from logical_flow.because import Because, EndKind, Subject

NO_CONNECTION = Because(
    EndKind.NAT,
    "dropped by {object}: {destination} is an address that it translates connections to, and "
    "this is of none of them",
    about=Subject.DATAPATH,
)

NO_FREE_PORT = Because(
    EndKind.NAT,
    "dropped by {object}: its source is to be translated, and no port of the external address is "
    "free for that",
    about=Subject.DATAPATH,
)
