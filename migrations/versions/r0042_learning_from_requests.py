"""Routers that learn from ARP requests only what they need."""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

_COLUMN = "always_learn_from_arp_request"


def upgrade() -> None:
    with op.batch_alter_table("logical_router") as table:
        table.add_column(sa.Column(_COLUMN, sa.Boolean(), nullable=False, server_default=sa.true()))
    with op.batch_alter_table("logical_router") as table:
        table.alter_column(_COLUMN, server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("logical_router") as table:
        table.drop_column(_COLUMN)
