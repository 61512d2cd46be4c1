"""An incremental engine: pure functions of recorded reads, rerun when a read changed.

Three kinds of node make a graph, in declaration order:

*table*
    Input: immutable rows by key. Putting an equal row changes nothing.
*group*
    Fan-in: a projection of each row (or result) to `(group, element)` pairs,
    reference-counted. A pair appears with its first contributor and disappears
    with its last, and only that is passed on: what is derived per pair costs the
    same in a group of ten and in a group of ten thousand. One that is declared
    on demand has its pairs while something asks for any, and costs nothing else.
*derivation*
    A pure function of `(read, key)`, run for every key of what it is declared
    `over`: a table, a group's pairs or another derivation. The engine records
    what a run read, misses included, and runs it again when any of that changed.
    An equal result stops there. Keys for which there is no result by what the row
    alone says, or by what a group has to do with, are left out by declaration:
    the engine remembers nothing of them.

Nodes are named by what defines them: a table by its row type, the others by
their function. So `read(Port, key)` is a row, and `read(port_zone, key)` is the
result of the derivation `port_zone`.

The engine knows nothing about networking, does no I/O and starts no threads.
"""

from incremental.engine import Delta, Engine
from incremental.errors import Failure, GraphError, IncrementalError
from incremental.graph import Graph
from incremental.heap import growing
from incremental.read import Read, RecordedFacts
from incremental.steps import run_steps

__all__ = [
    "Delta",
    "Engine",
    "Failure",
    "Graph",
    "GraphError",
    "IncrementalError",
    "Read",
    "RecordedFacts",
    "growing",
    "run_steps",
]
