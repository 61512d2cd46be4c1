"""Static routes by which replies go back where their requests came from."""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("static_route") as table:
        table.add_column(
            sa.Column(
                "ecmp_symmetric_reply", sa.Boolean(), nullable=False, server_default=sa.false()
            )
        )
    with op.batch_alter_table("static_route") as table:
        table.alter_column("ecmp_symmetric_reply", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("static_route") as table:
        table.drop_column("ecmp_symmetric_reply")
