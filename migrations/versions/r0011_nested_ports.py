"""Ports that are nested in others."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Realised state is filled in by the server, which translates all intent when it starts."""
    with op.batch_alter_table("logical_switch_port") as table:
        table.add_column(sa.Column("parent_id", sa.String(36), nullable=True))
        table.add_column(sa.Column("tag", sa.Integer(), nullable=True))
        table.add_column(sa.Column("allocated_tag", sa.Integer(), nullable=True))
        table.create_foreign_key(
            "fk_logical_switch_port_parent_id",
            "logical_switch_port",
            ["parent_id"],
            ["id"],
            initially="DEFERRED",
            deferrable=True,
        )
        table.create_index("ix_logical_switch_port_parent_id", ["parent_id"])
    with op.batch_alter_table("southbound_port_binding") as table:
        table.add_column(sa.Column("parent", sa.String(36), nullable=False, server_default=""))
        table.add_column(
            sa.Column("parent_name", sa.String(255), nullable=False, server_default="")
        )
        table.add_column(sa.Column("tag", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("southbound_port_binding") as table:
        for column in ("parent", "parent_name", "tag"):
            table.alter_column(column, server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("southbound_port_binding") as table:
        for column in ("tag", "parent_name", "parent"):
            table.drop_column(column)
    with op.batch_alter_table("logical_switch_port") as table:
        table.drop_index("ix_logical_switch_port_parent_id")
        table.drop_constraint("fk_logical_switch_port_parent_id", type_="foreignkey")
        for column in ("allocated_tag", "tag", "parent_id"):
            table.drop_column(column)
