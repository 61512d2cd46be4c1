"""Ports that are on several chassis while they move."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_LISTS = (
    ("southbound_port_binding", "activation"),
    ("southbound_port_fact", "additional_chassis"),
    ("southbound_port_fact", "activated"),
)


def upgrade() -> None:
    with op.batch_alter_table("logical_switch_port") as table:
        table.add_column(
            sa.Column("activation_strategy", sa.JSON(), nullable=False, server_default="[]")
        )
    with op.batch_alter_table("logical_switch_port") as table:
        table.alter_column("activation_strategy", server_default=None)
    for name, column in _LISTS:
        with op.batch_alter_table(name) as table:
            table.add_column(sa.Column(column, sa.Text(), nullable=False, server_default="[]"))
        with op.batch_alter_table(name) as table:
            table.alter_column(column, server_default=None)


def downgrade() -> None:
    for name, column in reversed(_LISTS):
        with op.batch_alter_table(name) as table:
            table.drop_column(column)
    with op.batch_alter_table("logical_switch_port") as table:
        table.drop_column("activation_strategy")
