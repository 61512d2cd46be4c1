"""How big packets may be that leave by a router port."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("logical_router_port") as table:
        table.add_column(sa.Column("gateway_mtu", sa.Integer(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("logical_router_port") as table:
        table.drop_column("gateway_mtu")
