"""What can go wrong with a punted packet.

::

    PuntError
    ├── MalformedUserdataError   a flow carries userdata that no flow of this agent would
    └── MalformedPacketError     the packet's bytes are not what its headers claim
"""

from __future__ import annotations


class PuntError(Exception):
    """The root of this package's errors."""


class MalformedUserdataError(PuntError):
    """The userdata of a punted packet cannot be read."""


class MalformedPacketError(PuntError):
    """A packet is cut short or contradicts itself."""
