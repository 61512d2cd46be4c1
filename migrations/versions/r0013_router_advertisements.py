"""Router advertisements of router ports."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("logical_router_port") as table:
        table.add_column(sa.Column("ipv6_ra", sa.JSON(), nullable=True))
    op.create_table(
        "southbound_router_advertisement",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("datapath", sa.String(36), nullable=False),
        sa.Column("port", sa.String(255), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("min_interval", sa.Integer(), nullable=False),
        sa.Column("max_interval", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_southbound_router_advertisement"),
    )
    op.create_index(
        "ix_southbound_router_advertisement_datapath",
        "southbound_router_advertisement",
        ["datapath"],
    )


def downgrade() -> None:
    op.drop_table("southbound_router_advertisement")
    with op.batch_alter_table("logical_router_port") as table:
        table.drop_column("ipv6_ra")
