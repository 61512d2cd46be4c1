"""Why port security ends packets."""

from logical_flow.because import Because, EndKind, Opening, Subject

SPOOFED = Because(
    EndKind.PORT_SECURITY,
    "dropped by port security of {authored_object}: it may not send as {sender}",
    about=Subject.INPORT,
    if_open=Opening.INPORT,
)
MISDIRECTED = Because(
    EndKind.PORT_SECURITY,
    "dropped by port security of {authored_object}: it may not receive as {receiver}",
    about=Subject.OUTPORT,
    if_open=Opening.OUTPORT,
)
NO_ROUTER = Because(
    EndKind.ADMISSION,
    "dropped by {object}: a port with port security is no router, "
    "and this advertises one or redirects to one",
)
NO_DHCP_SERVER = Because(
    EndKind.ADMISSION,
    "dropped by {object}: a port with port security is no DHCP server, "
    "and this answers a DHCP client",
)
