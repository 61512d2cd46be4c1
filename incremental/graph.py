"""The declaration of a graph: which nodes there are, and in which order they run."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from incremental.errors import GraphError
from incremental.read import Read

Key = TypeVar("Key")
Value = TypeVar("Value")

Kind = Literal["table", "group", "derivation"]


@dataclass(frozen=True, eq=False, slots=True)
class Node:
    """One declared node. `source` names it: a row type, or a function."""

    position: int
    kind: Kind
    source: Any
    name: str
    over: "tuple[Node, ...]" = ()
    fallback: Callable[[Read, Any], Any] | None = None
    output: bool = False


class Graph:
    """Nodes in the order in which a batch visits them.

    A node may only look at nodes declared before it, so one pass over the
    declaration order settles everything.
    """

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self._by_source: dict[Any, Node] = {}

    def table(self, row_type: type[Any]) -> None:
        """Declares an input; its rows are put and removed by `Engine.apply`."""
        self._declare("table", row_type)

    def group(
        self,
        function: Callable[[Any, Any], Any],
        *,
        over: Any | Sequence[Any],
        output: bool = False,
    ) -> None:
        """Declares a fan-in of `over`: `function(key, row)` gives `(group, element)` pairs.

        `over` is a table or a derivation, or a sequence of them that all contribute.
        """
        sources = tuple(over) if isinstance(over, Sequence) else (over,)
        self._declare("group", function, over=sources, output=output)

    def derive(
        self,
        function: Callable[[Read, Key], Value],
        *,
        over: Any,
        fallback: Callable[[Read, Key], Value] | None = None,
        output: bool = False,
    ) -> None:
        """Declares a derivation, run for each key of `over`.

        `fallback` gives the result when `function` raises; without one there is
        no result then. A generator function's result is the tuple of what it
        yields. With `output`, changed results are part of each batch's delta.
        """
        self._declare("derivation", function, over=(over,), fallback=fallback, output=output)

    def node(self, source: Any) -> Node:
        node = self._by_source.get(source)
        if node is None:
            raise GraphError(f"{_name(source)} is not declared in this graph")
        return node

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def _declare(
        self,
        kind: Kind,
        source: Any,
        *,
        over: Sequence[Any] = (),
        fallback: Callable[[Read, Any], Any] | None = None,
        output: bool = False,
    ) -> None:
        if source in self._by_source:
            raise GraphError(f"{_name(source)} is declared twice")
        node = Node(
            position=len(self.nodes),
            kind=kind,
            source=source,
            name=_name(source),
            over=tuple(self.node(each) for each in over),
            fallback=fallback,
            output=output,
        )
        self.nodes.append(node)
        self._by_source[source] = node


def _name(source: Any) -> str:
    return str(getattr(source, "__name__", source))
