"""The stages of the pipelines, with their places, as rows of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "southbound_stage",
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("pipeline", sa.String(length=255), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("default", sa.String(length=255), nullable=False),
        sa.Column("failure", sa.String(length=255), nullable=False),
        sa.Column("role", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_southbound_stage"),
    )


def downgrade() -> None:
    op.drop_table("southbound_stage")
