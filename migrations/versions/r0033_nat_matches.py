"""NATs for some packets only, and sources that go on as the gateway."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("nat") as table:
        table.add_column(sa.Column("match", sa.String(), nullable=True))
        table.add_column(sa.Column("priority", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("logical_router") as table:
        table.add_column(
            sa.Column("dnat_force_snat_ips", sa.JSON(), nullable=False, server_default="[]")
        )


def downgrade() -> None:
    with op.batch_alter_table("logical_router") as table:
        table.drop_column("dnat_force_snat_ips")
    with op.batch_alter_table("nat") as table:
        table.drop_column("priority")
        table.drop_column("match")
