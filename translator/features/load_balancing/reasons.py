"""Why load balancers end packets."""

from logical_flow.because import Because, EndKind, Subject

NO_BACKEND = Because(EndKind.NO_BACKEND, "dropped by {authored_object}: it has no backend")
REFUSED = Because(EndKind.NO_BACKEND, "refused by {authored_object}: it has no backend")
NOT_BALANCED = Because(
    EndKind.NO_BACKEND,
    "dropped by {object}: {destination} is a virtual address, and no load balancer takes {service} "
    "there",
    about=Subject.DATAPATH,
)
ALL_DOWN = Because(EndKind.NO_BACKEND, "dropped by {authored_object}: none of its backends answers")
REFUSED_DOWN = Because(
    EndKind.NO_BACKEND, "refused by {authored_object}: none of its backends answers"
)
ANSWERED = Because(
    EndKind.ADMISSION,
    "taken off for {authored_object}: it is for where its backends are asked from",
)
