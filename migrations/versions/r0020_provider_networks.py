"""Ports of switches that lead to provider networks."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Realised state is filled in by the server, which translates all intent when it starts."""
    with op.batch_alter_table("logical_switch_port") as table:
        table.add_column(sa.Column("network_name", sa.String(255), nullable=True))
        table.add_column(
            sa.Column("learn_fdb", sa.Boolean(), nullable=False, server_default=sa.false())
        )
    with op.batch_alter_table("logical_switch_port") as table:
        table.alter_column("learn_fdb", server_default=None)
    with op.batch_alter_table("southbound_port_binding") as table:
        table.add_column(sa.Column("network", sa.String(255), nullable=False, server_default=""))
    with op.batch_alter_table("southbound_port_binding") as table:
        table.alter_column("network", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("southbound_port_binding") as table:
        table.drop_column("network")
    with op.batch_alter_table("logical_switch_port") as table:
        table.drop_column("learn_fdb")
        table.drop_column("network_name")
