"""What routers translate, for agents."""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "southbound_translation",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("datapath", sa.String(36), nullable=False),
        sa.Column("external", sa.String(45), nullable=False),
        sa.Column("logical", sa.String(49), nullable=False),
        sa.Column("inwards", sa.Boolean(), nullable=False),
        sa.Column("outwards", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_southbound_translation"),
    )
    op.create_index("ix_southbound_translation_datapath", "southbound_translation", ["datapath"])


def downgrade() -> None:
    op.drop_table("southbound_translation")
