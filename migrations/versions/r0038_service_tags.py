"""Service tags of IEEE 802.1ad on provider networks."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("logical_switch_port") as table:
        table.add_column(sa.Column("vlan_protocol", sa.String(), nullable=True))
    with op.batch_alter_table("southbound_port_binding") as table:
        table.add_column(
            sa.Column("has_service_tag", sa.Boolean(), nullable=False, server_default=sa.false())
        )
    with op.batch_alter_table("southbound_port_binding") as table:
        table.alter_column("has_service_tag", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("southbound_port_binding") as table:
        table.drop_column("has_service_tag")
    with op.batch_alter_table("logical_switch_port") as table:
        table.drop_column("vlan_protocol")
