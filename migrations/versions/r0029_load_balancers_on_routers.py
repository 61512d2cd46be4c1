"""Load balancers on routers."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def _reference(referred: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [f"{referred}_id"],
        [f"{referred}.id"],
        name=f"fk_load_balancer_router_{referred}_id",
        initially="DEFERRED",
        deferrable=True,
    )


def upgrade() -> None:
    op.create_table(
        "load_balancer_router",
        sa.Column("load_balancer_id", sa.String(36), nullable=False),
        sa.Column("logical_router_id", sa.String(36), nullable=False),
        _reference("load_balancer"),
        _reference("logical_router"),
        sa.PrimaryKeyConstraint(
            "load_balancer_id", "logical_router_id", name="pk_load_balancer_router"
        ),
    )
    op.create_index(
        "ix_load_balancer_router_logical_router_id", "load_balancer_router", ["logical_router_id"]
    )
    with op.batch_alter_table("load_balancer") as table:
        column = sa.Column(
            "neighbor_responder", sa.String(), nullable=False, server_default="reachable"
        )
        table.add_column(column)
    with op.batch_alter_table("load_balancer") as table:
        table.alter_column("neighbor_responder", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("load_balancer") as table:
        table.drop_column("neighbor_responder")
    op.drop_table("load_balancer_router")
