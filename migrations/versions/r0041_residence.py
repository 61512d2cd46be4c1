"""How packets get to gateway ports, and which ports are where these are."""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("logical_router_port") as table:
        table.add_column(
            sa.Column("redirect_type", sa.String(), nullable=False, server_default="overlay")
        )
        table.add_column(
            sa.Column(
                "reside_on_redirect_chassis",
                sa.Boolean(),
                nullable=False,
                server_default=sa.false(),
            )
        )
    with op.batch_alter_table("logical_router_port") as table:
        table.alter_column("redirect_type", server_default=None)
        table.alter_column("reside_on_redirect_chassis", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("logical_router_port") as table:
        table.drop_column("reside_on_redirect_chassis")
        table.drop_column("redirect_type")
