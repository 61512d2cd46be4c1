"""Why ACL stages end packets by themselves. Of a verdict the ACL that decided is the reason."""

from logical_flow.because import Because, EndKind

HEADERS_CUT_SHORT = Because(
    EndKind.ADMISSION,
    "dropped by {object}: its IPv6 headers are cut short, so that no ACL can judge it",
)
CONNECTION = Because(
    EndKind.CONNECTION,
    "dropped by {object}: by its connection's state it belongs to none that is allowed",
)
