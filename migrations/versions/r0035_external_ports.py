"""Ports of workloads on provider networks, which a group of chassis serves."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("logical_switch_port") as table:
        table.add_column(sa.Column("ha_chassis_group_id", sa.String(36), nullable=True))
        table.create_foreign_key(
            "fk_logical_switch_port_ha_chassis_group_id",
            "ha_chassis_group",
            ["ha_chassis_group_id"],
            ["id"],
            deferrable=True,
            initially="DEFERRED",
        )
        table.create_index("ix_logical_switch_port_ha_chassis_group_id", ["ha_chassis_group_id"])


def downgrade() -> None:
    with op.batch_alter_table("logical_switch_port") as table:
        table.drop_index("ix_logical_switch_port_ha_chassis_group_id")
        table.drop_constraint("fk_logical_switch_port_ha_chassis_group_id", type_="foreignkey")
        table.drop_column("ha_chassis_group_id")
