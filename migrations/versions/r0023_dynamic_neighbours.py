"""Routers that ask for others on their switches."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_COLUMN = "dynamic_neigh_routers"


def upgrade() -> None:
    with op.batch_alter_table("logical_router") as table:
        table.add_column(
            sa.Column(_COLUMN, sa.Boolean(), nullable=False, server_default=sa.false())
        )
    with op.batch_alter_table("logical_router") as table:
        table.alter_column(_COLUMN, server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("logical_router") as table:
        table.drop_column(_COLUMN)
