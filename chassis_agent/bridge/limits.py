"""What Open vSwitch allows while it works out what becomes of one packet.

A translation begins with the packet and ends at each recirculation, after which a new
one begins. One that meets a limit drops all copies of the packet that it was to make,
those that were already decided on, too; only too many bytes of actions cut it short.
So the agent makes flows that stay far below: see :mod:`chassis_agent.physical.multicast`.
"""

from typing import Final

RESUBMITS: Final = 4096
"""Table look-ups by ``resubmit`` in one translation; clones and groups don't start anew."""

ACTION_BYTES: Final = 65535
"""Bytes of datapath actions that one translation may come to."""

TUNNEL_OUTPUT_BYTES: Final = 640
"""Bytes of one output to a tunnel in the userspace datapath, which carries the whole header."""
