"""Why packets are too big."""

from logical_flow.because import Because, EndKind, Subject

TOO_BIG = Because(
    EndKind.TOO_BIG,
    "refused by {object}: it is too big for the network beyond, and its sender is told so",
    about=Subject.DATAPATH,
)
TOO_BIG_IN_SILENCE = Because(
    EndKind.TOO_BIG,
    "dropped by {object}: it is too big for the network beyond",
    about=Subject.DATAPATH,
)
