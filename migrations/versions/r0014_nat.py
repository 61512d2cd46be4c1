"""Network address translation on routers."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_REFERENCES = {
    "logical_router_id": "logical_router",
    "gateway_port_id": "logical_router_port",
}


def upgrade() -> None:
    op.create_table(
        "nat",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("logical_router_id", sa.String(36), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("external_ip", sa.String(), nullable=False),
        sa.Column("routed", sa.Boolean(), nullable=False),
        sa.Column("logical_ip", sa.String(), nullable=False),
        sa.Column("external_port_range", sa.String(), nullable=True),
        sa.Column("logical_port", sa.String(255), nullable=True),
        sa.Column("external_mac", sa.String(), nullable=True),
        sa.Column("gateway_port_id", sa.String(36), nullable=True),
        sa.Column("stateless", sa.Boolean(), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("external_ids", sa.JSON(), nullable=False),
        sa.Column("document", sa.String(255), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("project", sa.String(255), nullable=False),
        sa.Column("display_name", sa.String(255), nullable=False),
        *(
            sa.ForeignKeyConstraint(
                [column],
                [f"{table}.id"],
                name=f"fk_nat_{column}",
                initially="DEFERRED",
                deferrable=True,
            )
            for column, table in _REFERENCES.items()
        ),
        sa.PrimaryKeyConstraint("id", name="pk_nat"),
    )
    for column in ("document", "external_ip", "logical_port", *_REFERENCES):
        op.create_index(f"ix_nat_{column}", "nat", [column])
    op.create_index(
        "ix_nat_logical_router_id_logical_ip", "nat", ["logical_router_id", "logical_ip"]
    )


def downgrade() -> None:
    op.drop_table("nat")
