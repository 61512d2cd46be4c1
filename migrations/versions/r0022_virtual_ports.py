"""Virtual ports."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("logical_switch_port") as table:
        table.add_column(sa.Column("virtual_ip", sa.String(), nullable=True))
        table.add_column(
            sa.Column("virtual_parents", sa.JSON(), nullable=False, server_default="[]")
        )
    with op.batch_alter_table("logical_switch_port") as table:
        table.alter_column("virtual_parents", server_default=None)
    with op.batch_alter_table("southbound_port_binding") as table:
        table.add_column(sa.Column("virtual_ip", sa.String(45), nullable=False, server_default=""))
        table.add_column(
            sa.Column("virtual_parents", sa.Text(), nullable=False, server_default="[]")
        )
    with op.batch_alter_table("southbound_port_binding") as table:
        for column in ("virtual_ip", "virtual_parents"):
            table.alter_column(column, server_default=None)
    with op.batch_alter_table("southbound_port_fact") as table:
        table.add_column(
            sa.Column("virtual_parent", sa.String(255), nullable=False, server_default="")
        )
    with op.batch_alter_table("southbound_port_fact") as table:
        table.alter_column("virtual_parent", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("southbound_port_fact") as table:
        table.drop_column("virtual_parent")
    with op.batch_alter_table("southbound_port_binding") as table:
        for column in ("virtual_parents", "virtual_ip"):
            table.drop_column(column)
    with op.batch_alter_table("logical_switch_port") as table:
        for column in ("virtual_parents", "virtual_ip"):
            table.drop_column(column)
