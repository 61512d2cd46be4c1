"""What the database of a server has of intent, whichever API made it: for tests of what is left."""

import sqlite3
from pathlib import Path

from api.neutron.security.membership import PROTECTED
from northbound.models.base import Base

_KEPT = {"allocation_cursor", "api_token", "change", "neutron_default_rule"}
_KEPT |= {"revision", "revision_counter"}
"""Tables that nothing is deleted from when what was made is deleted."""
_OF_PROJECTS = f"""
    SELECT id FROM neutron_security_group WHERE is_default
    UNION SELECT id FROM port_group WHERE name = '{PROTECTED}'
"""
_BUT_THOSE = {
    "neutron_security_group": "NOT is_default",
    "neutron_security_group_rule": f"security_group_id NOT IN ({_OF_PROJECTS})",
    "port_group": f"id NOT IN ({_OF_PROJECTS})",
    "acl": f"port_group_id IS NULL OR port_group_id NOT IN ({_OF_PROJECTS})",
    "acl_reference": f"acl_id NOT IN (SELECT id FROM acl WHERE port_group_id IN ({_OF_PROJECTS}))",
}
"""Two groups of a project come with its first port and stay: one of what is allowed among its
ports by default, and one of what is dropped on all."""


def rows_of_intent(database: Path) -> dict[str, int]:
    """Return how many rows there are of each table that has some, in a server's SQLite file.

    What comes with a project's first port doesn't count: its default security group, for one.
    """
    rows = {}
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        for table in sorted(Base.metadata.tables.keys() - _KEPT):
            condition = _BUT_THOSE.get(table, "1")
            query = f"SELECT count(*) FROM {table} WHERE {condition}"
            (rows[table],) = connection.execute(query).fetchone()
    finally:
        connection.close()
    return {table: count for table, count in rows.items() if count}
