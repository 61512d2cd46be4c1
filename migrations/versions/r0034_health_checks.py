"""Checks of the backends of load balancers."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("load_balancer_vip") as table:
        table.add_column(sa.Column("health_check", sa.JSON(), nullable=True))
    op.create_table(
        "load_balancer_backend",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("load_balancer_id", sa.String(36), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("logical_port", sa.String(255), nullable=False),
        sa.Column("source_ip", sa.String(), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("external_ids", sa.JSON(), nullable=False),
        sa.Column("document", sa.String(255), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("project", sa.String(255), nullable=False),
        sa.Column("display_name", sa.String(255), nullable=False),
        sa.ForeignKeyConstraint(
            ["load_balancer_id"],
            ["load_balancer.id"],
            name="fk_load_balancer_backend_load_balancer_id",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name="pk_load_balancer_backend"),
        sa.UniqueConstraint(
            "load_balancer_id", "address", name="uq_load_balancer_backend_load_balancer_id_address"
        ),
    )
    for column in ("document", "load_balancer_id", "logical_port"):
        op.create_index(f"ix_load_balancer_backend_{column}", "load_balancer_backend", [column])
    op.create_table(
        "southbound_virtual_address",
        sa.Column("set", sa.String(255), nullable=False),
        sa.Column("address", sa.String(45), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("protocol", sa.String(8), nullable=False),
        sa.PrimaryKeyConstraint("set", name="pk_southbound_virtual_address"),
    )
    op.create_table(
        "southbound_backend_check",
        sa.Column("set", sa.String(255), nullable=False),
        sa.Column("member", sa.String(255), nullable=False),
        sa.Column("protocol", sa.String(8), nullable=False),
        sa.Column("datapath", sa.String(36), nullable=False),
        sa.Column("port", sa.String(255), nullable=False),
        sa.Column("mac", sa.String(17), nullable=False),
        sa.Column("source", sa.String(45), nullable=False),
        sa.Column("interval", sa.Integer(), nullable=False),
        sa.Column("timeout", sa.Integer(), nullable=False),
        sa.Column("success_count", sa.Integer(), nullable=False),
        sa.Column("failure_count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("set", "member", name="pk_southbound_backend_check"),
    )
    op.create_table(
        "southbound_backend_status",
        sa.Column("set", sa.String(255), nullable=False),
        sa.Column("member", sa.String(255), nullable=False),
        sa.Column("up", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("chassis", sa.String(255), nullable=False),
        sa.Column("since", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("set", "member", name="pk_southbound_backend_status"),
    )


def downgrade() -> None:
    for name in ("backend_status", "backend_check", "virtual_address"):
        op.drop_table(f"southbound_{name}")
    op.drop_table("load_balancer_backend")
    with op.batch_alter_table("load_balancer_vip") as table:
        table.drop_column("health_check")
