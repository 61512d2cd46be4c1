"""Why packets of workloads on a provider network end."""

from logical_flow.because import Because, EndKind

NOT_IN_CHARGE = Because(
    EndKind.ROUTER,
    "left to the chassis that is in charge of {object}, and dropped on the others",
)
