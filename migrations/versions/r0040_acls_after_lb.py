"""ACLs that decide after load balancing."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("acl") as table:
        table.add_column(
            sa.Column("apply_after_lb", sa.Boolean(), nullable=False, server_default=sa.false())
        )
    with op.batch_alter_table("acl") as table:
        table.alter_column("apply_after_lb", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("acl") as table:
        table.drop_column("apply_after_lb")
