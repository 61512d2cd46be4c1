"""Why switches don't know where a frame goes."""

from logical_flow.because import Because, EndKind, Opening, Subject

UNKNOWN_DESTINATION = Because(
    EndKind.UNKNOWN_DESTINATION,
    "dropped: no port of {object} has the MAC address {mac_destination}",
    about=Subject.DATAPATH,
    if_open=Opening.DESTINATION,
)
