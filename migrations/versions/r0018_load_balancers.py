"""Load balancers and their virtual addresses."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def _of_resources(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("external_ids", sa.JSON(), nullable=False),
        sa.Column("document", sa.String(255), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("project", sa.String(255), nullable=False),
        sa.Column("display_name", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    ]


def _reference(table: str, referred: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [f"{referred}_id"],
        [f"{referred}.id"],
        name=f"fk_{table}_{referred}_id",
        initially="DEFERRED",
        deferrable=True,
    )


def upgrade() -> None:
    op.create_table(
        "load_balancer",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("protocol", sa.String(), nullable=False),
        sa.Column("reject", sa.Boolean(), nullable=False),
        *_of_resources("load_balancer"),
        sa.UniqueConstraint("project", "name", name="uq_load_balancer_project_name"),
    )
    op.create_index("ix_load_balancer_document", "load_balancer", ["document"])
    op.create_table(
        "load_balancer_vip",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("load_balancer_id", sa.String(36), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("port", sa.Integer(), nullable=True),
        sa.Column("backends", sa.JSON(), nullable=False),
        _reference("load_balancer_vip", "load_balancer"),
        *_of_resources("load_balancer_vip"),
    )
    for column in ("document", "load_balancer_id", "address"):
        op.create_index(f"ix_load_balancer_vip_{column}", "load_balancer_vip", [column])
    op.create_table(
        "load_balancer_switch",
        sa.Column("load_balancer_id", sa.String(36), nullable=False),
        sa.Column("logical_switch_id", sa.String(36), nullable=False),
        _reference("load_balancer_switch", "load_balancer"),
        _reference("load_balancer_switch", "logical_switch"),
        sa.PrimaryKeyConstraint(
            "load_balancer_id", "logical_switch_id", name="pk_load_balancer_switch"
        ),
    )
    op.create_index(
        "ix_load_balancer_switch_logical_switch_id", "load_balancer_switch", ["logical_switch_id"]
    )


def downgrade() -> None:
    op.drop_table("load_balancer_switch")
    op.drop_table("load_balancer_vip")
    op.drop_table("load_balancer")
