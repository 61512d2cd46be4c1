"""The fields by which one of several next hops is chosen."""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

_TABLES = ("static_route", "router_policy")


def upgrade() -> None:
    for name in _TABLES:
        with op.batch_alter_table(name) as table:
            table.add_column(
                sa.Column("selection_fields", sa.JSON(), nullable=False, server_default="[]")
            )
        with op.batch_alter_table(name) as table:
            table.alter_column("selection_fields", server_default=None)


def downgrade() -> None:
    for name in reversed(_TABLES):
        with op.batch_alter_table(name) as table:
            table.drop_column("selection_fields")
