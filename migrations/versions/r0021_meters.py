"""Meters, of which ACLs may name one."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "meter",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("rate", sa.Integer(), nullable=False),
        sa.Column("burst", sa.Integer(), nullable=False),
        sa.Column("fair", sa.Boolean(), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("external_ids", sa.JSON(), nullable=False),
        sa.Column("document", sa.String(255), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("project", sa.String(255), nullable=False),
        sa.Column("display_name", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_meter"),
        sa.UniqueConstraint("project", "name", name="uq_meter_project_name"),
    )
    op.create_index("ix_meter_document", "meter", ["document"])
    # No ACL could name a meter before: the old column is empty.
    with op.batch_alter_table("acl") as table:
        table.drop_column("meter")
        table.add_column(sa.Column("meter_id", sa.String(36), nullable=True))
        table.create_foreign_key(
            "fk_acl_meter_id",
            "meter",
            ["meter_id"],
            ["id"],
            initially="DEFERRED",
            deferrable=True,
        )
        table.create_index("ix_acl_meter_id", ["meter_id"])


def downgrade() -> None:
    with op.batch_alter_table("acl") as table:
        table.drop_index("ix_acl_meter_id")
        table.drop_constraint("fk_acl_meter_id", type_="foreignkey")
        table.drop_column("meter_id")
        table.add_column(sa.Column("meter", sa.String(), nullable=True))
    op.drop_table("meter")
