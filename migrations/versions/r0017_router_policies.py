"""Routing policies."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "router_policy",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("logical_router_id", sa.String(36), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("match", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("nexthops", sa.JSON(), nullable=False),
        sa.Column("output_port", sa.String(255), nullable=True),
        sa.Column("pkt_mark", sa.BigInteger(), nullable=True),
        sa.Column("chain", sa.String(255), nullable=False),
        sa.Column("jump_chain", sa.String(255), nullable=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("external_ids", sa.JSON(), nullable=False),
        sa.Column("document", sa.String(255), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("project", sa.String(255), nullable=False),
        sa.Column("display_name", sa.String(255), nullable=False),
        sa.ForeignKeyConstraint(
            ["logical_router_id"],
            ["logical_router.id"],
            name="fk_router_policy_logical_router_id",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name="pk_router_policy"),
        sa.UniqueConstraint(
            "logical_router_id", "number", name="uq_router_policy_logical_router_id_number"
        ),
    )
    for column in ("document", "logical_router_id", "output_port"):
        op.create_index(f"ix_router_policy_{column}", "router_policy", [column])
    op.create_table(
        "router_policy_reference",
        sa.Column("router_policy_id", sa.String(36), nullable=False),
        sa.Column("target", sa.String(255), nullable=False),
        sa.ForeignKeyConstraint(
            ["router_policy_id"],
            ["router_policy.id"],
            name="fk_router_policy_reference_router_policy_id",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("router_policy_id", "target", name="pk_router_policy_reference"),
    )
    op.create_index("ix_router_policy_reference_target", "router_policy_reference", ["target"])


def downgrade() -> None:
    op.drop_table("router_policy_reference")
    op.drop_table("router_policy")
