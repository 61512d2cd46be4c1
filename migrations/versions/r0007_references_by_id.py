"""What the matches of ACLs refer to is kept by id: names are no longer unique over all projects."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

SETS = {"$": "address_set", "@": "port_group"}


def upgrade() -> None:
    for sigil, table in SETS.items():
        _refer(sigil, table, old="name", new="id")


def downgrade() -> None:
    for sigil, table in SETS.items():
        _refer(sigil, table, old="id", new="name")


def _refer(sigil: str, table: str, *, old: str, new: str) -> None:
    """Change how references are kept; one to a set that isn't there stays as it is."""
    sets = sa.table(table, sa.column("id"), sa.column("name"))
    references = sa.table("acl_reference", sa.column("target", sa.String))
    target = references.c.target
    sign = sa.literal(sigil)
    found = sa.select(sign + sets.c[new]).where(sign + sets.c[old] == target).scalar_subquery()
    changed = sa.func.coalesce(found, target)
    op.execute(references.update().where(target.like(f"{sigil}%")).values(target=changed))
