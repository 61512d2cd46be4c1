"""What refers to objects that go, asked of all tables that may hold it in one statement.

Most objects that go are referred to by little: a statement for each table that might hold
something would be most of what a deletion costs.
"""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from sqlalchemy import Integer, Select, literal_column, union_all

from northbound.inserting import batched
from northbound.transaction import Transaction

K = TypeVar("K", bound=Hashable)

Tie = tuple[str, str]
"""What is referred to, and what refers to it."""


class Ties(Generic[K]):
    """Queries for ties, by what tells them apart: each has the two columns of a tie.

    Their parameter `ids` is what goes, by as many names as it has; they may share others.
    """

    def __init__(self, queries: Mapping[K, Select[Any, Any]]) -> None:
        self._keys = list(queries)
        # Built once: see `northbound.transaction`.
        self._statement = union_all(
            *(
                query.add_columns(literal_column(str(number), Integer))
                for number, query in enumerate(queries.values())
            )
        )

    def of(self, tx: Transaction, ids: Sequence[str], **values: str) -> defaultdict[K, list[Tie]]:
        """Return the ties of `ids`, what this transaction has changed so far included."""
        tx.flush()
        found: defaultdict[K, list[Tie]] = defaultdict(list)
        for some in batched(ids):
            rows = tx.connection.execute(self._statement, {"ids": some, **values})
            for referred, referrer, number in rows:
                found[self._keys[number]].append((referred, referrer))
        return found
