"""Which source backends of routers see."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("load_balancer") as table:
        table.add_column(_flag("skip_snat"))
    with op.batch_alter_table("load_balancer") as table:
        table.alter_column("skip_snat", server_default=None)
    with op.batch_alter_table("logical_router") as table:
        ips = sa.Column("lb_force_snat_ips", sa.JSON(), nullable=False, server_default="[]")
        table.add_column(ips)
        table.add_column(_flag("lb_force_snat_router_ip"))
    with op.batch_alter_table("logical_router") as table:
        for name in ("lb_force_snat_ips", "lb_force_snat_router_ip"):
            table.alter_column(name, server_default=None)


def _flag(name: str) -> "sa.Column[bool]":
    return sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())


def downgrade() -> None:
    with op.batch_alter_table("logical_router") as table:
        table.drop_column("lb_force_snat_router_ip")
        table.drop_column("lb_force_snat_ips")
    with op.batch_alter_table("load_balancer") as table:
        table.drop_column("skip_snat")
