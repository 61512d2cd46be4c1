"""NAT for some outside only: address sets that it is for, or is not for."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_COLUMNS = ("allowed_external_ips_id", "exempted_external_ips_id")


def upgrade() -> None:
    with op.batch_alter_table("nat") as table:
        for column in _COLUMNS:
            table.add_column(sa.Column(column, sa.String(36), nullable=True))
            table.create_foreign_key(
                f"fk_nat_{column}",
                "address_set",
                [column],
                ["id"],
                initially="DEFERRED",
                deferrable=True,
            )
            table.create_index(f"ix_nat_{column}", [column])


def downgrade() -> None:
    with op.batch_alter_table("nat") as table:
        for column in _COLUMNS:
            table.drop_index(f"ix_nat_{column}")
            table.drop_constraint(f"fk_nat_{column}", type_="foreignkey")
            table.drop_column(column)
