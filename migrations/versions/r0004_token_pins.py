"""What the token of a chassis says of its host."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_token", sa.Column("hostname", sa.String(length=255), nullable=True))
    op.add_column(
        "api_token", sa.Column("encap_ips", sa.Text(), nullable=False, server_default="[]")
    )


def downgrade() -> None:
    op.drop_column("api_token", "encap_ips")
    op.drop_column("api_token", "hostname")
