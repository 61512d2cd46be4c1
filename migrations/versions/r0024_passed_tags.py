"""Switches that pass VLAN tags on."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

COLUMNS = {"logical_switch": "vlan_passthru", "southbound_port_binding": "passes_tags"}


def upgrade() -> None:
    for table_name, column in COLUMNS.items():
        with op.batch_alter_table(table_name) as table:
            table.add_column(
                sa.Column(column, sa.Boolean(), nullable=False, server_default=sa.false())
            )
        with op.batch_alter_table(table_name) as table:
            table.alter_column(column, server_default=None)


def downgrade() -> None:
    for table_name, column in COLUMNS.items():
        with op.batch_alter_table(table_name) as table:
            table.drop_column(column)
