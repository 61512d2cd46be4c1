"""How long routers keep neighbours that they have learned."""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("logical_router") as table:
        table.add_column(sa.Column("mac_binding_age_threshold", sa.Integer(), nullable=True))
    with op.batch_alter_table("southbound_datapath") as table:
        table.add_column(
            sa.Column("neighbour_age", sa.Integer(), nullable=False, server_default="-1")
        )
    with op.batch_alter_table("southbound_datapath") as table:
        table.alter_column("neighbour_age", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("southbound_datapath") as table:
        table.drop_column("neighbour_age")
    with op.batch_alter_table("logical_router") as table:
        table.drop_column("mac_binding_age_threshold")
