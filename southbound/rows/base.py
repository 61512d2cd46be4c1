"""What all rows have: a table, a key, and the scopes in which agents are sent them."""

from typing import ClassVar, TypeAlias

import msgspec

GLOBAL_SCOPE = "global"

RowId: TypeAlias = tuple[str, str]
"""Names one row everywhere: its table and its key."""


def datapath_scope(datapath: str) -> str:
    return f"datapath:{datapath}"


def port_scope(name: str) -> str:
    return f"port:{name}"


def chassis_scope(name: str) -> str:
    return f"chassis:{name}"


def set_scope(name: str) -> str:
    """`name` carries its sigil: ``$web-addresses`` or ``@web-ports``."""
    return f"set:{name}"


class Row(msgspec.Struct, frozen=True, array_like=True, tag_field="table_name"):
    """Base of all rows: ``table`` names the table, ``key`` the row in it.

    On the wire a row is an array that starts with its table's name (the struct's
    tag), so that rows of all tables travel in one list: see :data:`AnyRow`.
    """

    table: ClassVar[str]

    @property
    def key(self) -> str:
        raise AssertionError(f"{type(self).__name__} has no key")

    @property
    def row_id(self) -> RowId:
        return (self.table, self.key)

    @property
    def scopes(self) -> tuple[str, ...]:
        return (GLOBAL_SCOPE,)
