"""Whether connections to backends end that are gone."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

_COLUMNS = {"load_balancer": "end_connections", "southbound_virtual_address": "ends_connections"}


def upgrade() -> None:
    for name, column in _COLUMNS.items():
        with op.batch_alter_table(name) as table:
            table.add_column(
                sa.Column(column, sa.Boolean(), nullable=False, server_default=sa.true())
            )
        with op.batch_alter_table(name) as table:
            table.alter_column(column, server_default=None)


def downgrade() -> None:
    for name, column in _COLUMNS.items():
        with op.batch_alter_table(name) as table:
            table.drop_column(column)
