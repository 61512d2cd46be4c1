"""What can go wrong in a graph.

IncrementalError
└── GraphError      the graph itself is wrong: a programming error, never data
"""

from collections.abc import Hashable
from typing import NamedTuple


class IncrementalError(Exception):
    """Base of this package's exceptions."""


class GraphError(IncrementalError):
    """A node is declared twice, read before its turn, or not declared at all."""


class Failure(NamedTuple):
    """A run that raised. The node's fallback stands in for its result until it succeeds."""

    node: str
    key: Hashable
    error: str
    traceback: str
