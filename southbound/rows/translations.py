"""What routers translate, for agents to end connections of what is translated no more."""

from typing import ClassVar

from southbound.rows.base import Row, datapath_scope


class Translation(Row, frozen=True, array_like=True, tag="translation"):
    """An external address of the router `datapath`, and what is behind it.

    `logical` is an address or a network, with its prefix length. What is translated are
    destinations of what comes in (`inwards`) or sources of what leaves (`outwards`), or both.
    """

    table: ClassVar[str] = "translation"

    id: str
    datapath: str
    external: str
    logical: str
    inwards: bool
    outwards: bool

    @property
    def key(self) -> str:
        return self.id

    @property
    def scopes(self) -> tuple[str, ...]:
        return (datapath_scope(self.datapath),)
