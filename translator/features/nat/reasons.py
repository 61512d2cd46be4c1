"""Why packets for translated addresses end."""

from logical_flow.because import Because, EndKind, Subject

NO_CONNECTION = Because(
    EndKind.NAT,
    "dropped by {object}: {destination} is an address that it translates connections to, and "
    "this is of none of them",
    about=Subject.DATAPATH,
)
