"""How load balancers choose backends, and who asks where a client is its own."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("load_balancer") as table:
        table.add_column(
            sa.Column("affinity_timeout", sa.Integer(), nullable=False, server_default="0")
        )
        for name in ("selection_fields", "hairpin_snat_ips"):
            table.add_column(sa.Column(name, sa.JSON(), nullable=False, server_default="[]"))
    with op.batch_alter_table("load_balancer") as table:
        for name in ("affinity_timeout", "selection_fields", "hairpin_snat_ips"):
            table.alter_column(name, server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("load_balancer") as table:
        for name in ("hairpin_snat_ips", "selection_fields", "affinity_timeout"):
            table.drop_column(name)
