"""Groups of load balancers."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

GROUP = "load_balancer_group"
MEMBERS = {"member": "load_balancer", "switch": "logical_switch", "router": "logical_router"}


def _reference(table: str, referred: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [f"{referred}_id"],
        [f"{referred}.id"],
        name=f"fk_{table}_{referred}_id",
        initially="DEFERRED",
        deferrable=True,
    )


def upgrade() -> None:
    op.create_table(
        GROUP,
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("external_ids", sa.JSON(), nullable=False),
        sa.Column("document", sa.String(255), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("project", sa.String(255), nullable=False),
        sa.Column("display_name", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{GROUP}"),
        sa.UniqueConstraint("project", "name", name=f"uq_{GROUP}_project_name"),
    )
    op.create_index(f"ix_{GROUP}_document", GROUP, ["document"])
    for part, referred in MEMBERS.items():
        table = f"{GROUP}_{part}"
        op.create_table(
            table,
            sa.Column(f"{GROUP}_id", sa.String(36), nullable=False),
            sa.Column(f"{referred}_id", sa.String(36), nullable=False),
            _reference(table, GROUP),
            _reference(table, referred),
            sa.PrimaryKeyConstraint(f"{GROUP}_id", f"{referred}_id", name=f"pk_{table}"),
        )
        op.create_index(f"ix_{table}_{referred}_id", table, [f"{referred}_id"])


def downgrade() -> None:
    for part in MEMBERS:
        op.drop_table(f"{GROUP}_{part}")
    op.drop_table(GROUP)
