"""Static MAC bindings of router ports."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "static_mac_binding",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("logical_router_port_id", sa.String(36), nullable=False),
        sa.Column("ip", sa.String(), nullable=False),
        sa.Column("mac", sa.String(), nullable=False),
        sa.Column("override_dynamic_mac", sa.Boolean(), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("external_ids", sa.JSON(), nullable=False),
        sa.Column("document", sa.String(255), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("project", sa.String(255), nullable=False),
        sa.Column("display_name", sa.String(255), nullable=False),
        sa.ForeignKeyConstraint(
            ["logical_router_port_id"],
            ["logical_router_port.id"],
            name="fk_static_mac_binding_logical_router_port_id",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name="pk_static_mac_binding"),
    )
    for column in ("document", "logical_router_port_id"):
        name = f"ix_static_mac_binding_{column}"
        op.create_index(name, "static_mac_binding", [column])


def downgrade() -> None:
    op.drop_table("static_mac_binding")
