"""What can go wrong in the agent's own wiring.

::

    AgentError
    ├── HostConfigurationError   the host lacks a setting; the agent waits until it is there
    ├── ControlError             a command to the switch's daemon failed, or nobody listened
    ├── DatabaseError            a transaction on the Open vSwitch database was refused
    ├── ZonesExhaustedError      all conntrack zones are taken
    ├── NumbersExhaustedError    all numbers of groups, meters or queues are taken
    ├── AlreadyRunningError      another agent uses the same state directory
    ├── StateDirectoryError      the state directory is none that an agent can use
    └── RefusedCommandError      a running agent was asked for something that it can't do

The packages `openflow`, `punt` and `compile` draw their own.
"""


class AgentError(Exception):
    """Base of the exceptions of the agent's wiring."""


class HostConfigurationError(AgentError):
    """A fact about the host is missing or malformed; the message says which."""


class ControlError(AgentError):
    """A command to a daemon's control socket failed."""


class DatabaseError(AgentError):
    """The Open vSwitch database refused a transaction."""


class ZonesExhaustedError(AgentError):
    """More ports need a conntrack zone than there are zones."""


class NumbersExhaustedError(AgentError):
    """More groups, meters or queues are wanted than there are numbers for them."""


class AlreadyRunningError(AgentError):
    """Another agent listens on the status socket of this state directory."""


class StateDirectoryError(AgentError):
    """Nothing can be kept in the state directory, or no socket made there; it says why."""


class RefusedCommandError(AgentError):
    """A command at the status socket can't be done; the message is the agent's."""
