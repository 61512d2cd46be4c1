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
    where: Callable[[Any], bool] | None = None
    within: "Node | None" = None
    on_demand: bool = False
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
        on_demand: bool = False,
    ) -> None:
        """Declares a fan-in of `over`: `function(key, row)` gives `(group, element)` pairs.

        `over` is a table or a derivation, or a sequence of them that all contribute. A group
        `on_demand` has pairs only while something asks for any of them: a cell that reads it, or
        a derivation that is over it. Else it costs nothing, however many rows there are; the
        first that asks pays for looking at them all.
        """
        sources = tuple(over) if isinstance(over, Sequence) else (over,)
        self._declare("group", function, over=sources, output=output, on_demand=on_demand)

    def derive(
        self,
        function: Callable[[Read, Key], Value],
        *,
        over: Any,
        where: Callable[[Any], bool] | None = None,
        within: Any = None,
        fallback: Callable[[Read, Key], Value] | None = None,
        output: bool = False,
    ) -> None:
        """Declares a derivation, run for each key of `over`.

        It is run only where there can be a result, so that nothing is to be remembered of the
        other keys: `where` tells by the row alone. With `within`, a table or a derivation, it is
        run for those pairs of a group whose group is a key of that one.

        `fallback` gives the result when `function` raises; without one there is
        no result then. A generator function's result is the tuple of what it
        yields. With `output`, changed results are part of each batch's delta.
        """
        self._declare(
            "derivation",
            function,
            over=(over,),
            where=where,
            within=within,
            fallback=fallback,
            output=output,
        )

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
        where: Callable[[Any], bool] | None = None,
        within: Any = None,
        on_demand: bool = False,
        fallback: Callable[[Read, Any], Any] | None = None,
        output: bool = False,
    ) -> None:
        if source in self._by_source:
            raise GraphError(f"{_name(source)} is declared twice")
        sources = tuple(self.node(each) for each in over)
        if within is not None and (where is not None or sources[0].kind != "group"):
            raise GraphError(f"{_name(source)} is within something, but not over all of a group")
        if within is None and any(each.on_demand for each in sources):
            raise GraphError(f"{_name(source)} is over a group on demand, but asks for all of it")
        node = Node(
            position=len(self.nodes),
            kind=kind,
            source=source,
            name=_name(source),
            over=sources,
            where=where,
            within=None if within is None else self.node(within),
            on_demand=on_demand,
            fallback=fallback,
            output=output,
        )
        self.nodes.append(node)
        self._by_source[source] = node


def _name(source: Any) -> str:
    return str(getattr(source, "__name__", source))
