"""Why packets end, as more than one feature says it."""

from logical_flow.because import Because, EndKind

VLAN_TAGGED = Because(
    EndKind.ADMISSION, "dropped by {object}: frames with a VLAN tag are not admitted"
)
MULTICAST_SOURCE = Because(
    EndKind.ADMISSION,
    "dropped by {object}: the source MAC address {mac_source} is a multicast one, "
    "which nobody can have",
)
UNTRANSLATED = Because(
    EndKind.FAULT,
    "dropped because {object} could not be translated: faults of the status say why",
)
DISABLED = Because(EndKind.DISABLED, "dropped, because {authored_object} is disabled")
