"""Why packets end at a policy."""

from logical_flow.because import Because, EndKind

DROPPED = Because(EndKind.POLICY, "dropped by {authored_object}")
