"""Addresses that are announced to provider networks."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "southbound_announcement",
        sa.Column("id", sa.String(255), nullable=False),
        sa.Column("datapath", sa.String(36), nullable=False),
        sa.Column("port", sa.String(255), nullable=False),
        sa.Column("mac", sa.String(17), nullable=False),
        sa.Column("addresses", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_southbound_announcement"),
    )
    op.create_index("ix_southbound_announcement_datapath", "southbound_announcement", ["datapath"])


def downgrade() -> None:
    op.drop_table("southbound_announcement")
