"""Gateway routers, gateway ports and the groups of chassis that these may share."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ha_chassis_group",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("chassis", sa.JSON(), nullable=False),
        sa.Column("preemptive", sa.Boolean(), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("external_ids", sa.JSON(), nullable=False),
        sa.Column("document", sa.String(255), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("project", sa.String(255), nullable=False),
        sa.Column("display_name", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ha_chassis_group"),
        sa.UniqueConstraint("project", "name", name="uq_ha_chassis_group_project_name"),
    )
    op.create_index("ix_ha_chassis_group_document", "ha_chassis_group", ["document"])
    with op.batch_alter_table("logical_router") as table:
        table.add_column(sa.Column("chassis", sa.String(255), nullable=True))
    with op.batch_alter_table("logical_router_port") as table:
        table.add_column(
            sa.Column("gateway_chassis", sa.JSON(), nullable=False, server_default="[]")
        )
        table.add_column(sa.Column("ha_chassis_group_id", sa.String(36), nullable=True))
        table.add_column(sa.Column("redirect_key", sa.Integer(), nullable=True))
        table.create_foreign_key(
            "fk_logical_router_port_ha_chassis_group_id",
            "ha_chassis_group",
            ["ha_chassis_group_id"],
            ["id"],
            initially="DEFERRED",
            deferrable=True,
        )
        table.create_index("ix_logical_router_port_ha_chassis_group_id", ["ha_chassis_group_id"])
    with op.batch_alter_table("logical_router_port") as table:
        table.alter_column("gateway_chassis", server_default=None)
    with op.batch_alter_table("southbound_port_binding") as table:
        table.add_column(
            sa.Column("distributed_port", sa.String(255), nullable=False, server_default="")
        )
        table.add_column(
            sa.Column("preemptive", sa.Boolean(), nullable=False, server_default=sa.true())
        )
    with op.batch_alter_table("southbound_port_binding") as table:
        table.alter_column("distributed_port", server_default=None)
        table.alter_column("preemptive", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("southbound_port_binding") as table:
        table.drop_column("preemptive")
        table.drop_column("distributed_port")
    with op.batch_alter_table("logical_router_port") as table:
        table.drop_index("ix_logical_router_port_ha_chassis_group_id")
        table.drop_constraint("fk_logical_router_port_ha_chassis_group_id", type_="foreignkey")
        table.drop_column("redirect_key")
        table.drop_column("ha_chassis_group_id")
        table.drop_column("gateway_chassis")
    with op.batch_alter_table("logical_router") as table:
        table.drop_column("chassis")
    op.drop_table("ha_chassis_group")
