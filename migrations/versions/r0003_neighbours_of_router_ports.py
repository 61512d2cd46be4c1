"""Networks in which router ports learn neighbours."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Empty until the server, which translates all intent when it starts, has filled it in."""
    with op.batch_alter_table("southbound_port_binding") as table:
        table.add_column(sa.Column("neighbours", sa.Text(), nullable=False, server_default="[]"))
    with op.batch_alter_table("southbound_port_binding") as table:
        table.alter_column("neighbours", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("southbound_port_binding") as table:
        table.drop_column("neighbours")
