"""The Open vSwitch database: what the agent reads of it and writes to it.

`schema` declares the columns in use, `view` is the immutable picture that the
rest of the agent computes with, `edits` are the transactions, `client` joins
them to a connection.
"""

from chassis_agent.ovsdb.client import SwitchDatabase
from chassis_agent.ovsdb.view import Bridge, Interface, SwitchView

__all__ = ["Bridge", "Interface", "SwitchDatabase", "SwitchView"]
