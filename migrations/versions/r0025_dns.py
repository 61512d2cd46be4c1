"""DNS record sets, their records, and the names that agents answer for."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_RESOURCE = (
    ("labels", sa.JSON(), False),
    ("external_ids", sa.JSON(), False),
    ("document", sa.String(255), True),
    ("version", sa.BigInteger(), False),
    ("project", sa.String(255), False),
    ("display_name", sa.String(255), False),
)


def _resource_columns() -> list[sa.Column[object]]:
    return [sa.Column(name, kind, nullable=nullable) for name, kind, nullable in _RESOURCE]


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{to}.id"], name=f"fk_{table}_{column}", initially="DEFERRED", deferrable=True
    )


def upgrade() -> None:
    op.create_table(
        "dns_record_set",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("owned", sa.Boolean(), nullable=False),
        sa.Column("domain", sa.String(255), nullable=True),
        sa.Column("ttl", sa.Integer(), nullable=False),
        *_resource_columns(),
        sa.PrimaryKeyConstraint("id", name="pk_dns_record_set"),
        sa.UniqueConstraint("project", "name", name="uq_dns_record_set_project_name"),
    )
    op.create_index("ix_dns_record_set_document", "dns_record_set", ["document"])
    op.create_table(
        "dns_record_set_switch",
        sa.Column("dns_record_set_id", sa.String(36), nullable=False),
        sa.Column("logical_switch_id", sa.String(36), nullable=False),
        _refers("dns_record_set_switch", "dns_record_set_id", "dns_record_set"),
        _refers("dns_record_set_switch", "logical_switch_id", "logical_switch"),
        sa.PrimaryKeyConstraint(
            "dns_record_set_id", "logical_switch_id", name="pk_dns_record_set_switch"
        ),
    )
    op.create_index(
        "ix_dns_record_set_switch_logical_switch_id",
        "dns_record_set_switch",
        ["logical_switch_id"],
    )
    op.create_table(
        "dns_record",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("dns_record_set_id", sa.String(36), nullable=False),
        sa.Column("hostname", sa.String(255), nullable=False),
        sa.Column("addresses", sa.JSON(), nullable=False),
        sa.Column("pointer", sa.String(255), nullable=True),
        *_resource_columns(),
        _refers("dns_record", "dns_record_set_id", "dns_record_set"),
        sa.PrimaryKeyConstraint("id", name="pk_dns_record"),
    )
    for column in ("document", "dns_record_set_id"):
        op.create_index(f"ix_dns_record_{column}", "dns_record", [column])
    op.create_table(
        "southbound_dns_name",
        sa.Column("datapath", sa.String(36), nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("ttl", sa.Integer(), nullable=False),
        sa.Column("addresses", sa.Text(), nullable=False),
        sa.Column("pointer", sa.String(255), nullable=False),
        sa.Column("owned", sa.Boolean(), nullable=False),
        sa.Column("covers", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("datapath", "id", name="pk_southbound_dns_name"),
    )


def downgrade() -> None:
    for table in ("southbound_dns_name", "dns_record", "dns_record_set_switch", "dns_record_set"):
        op.drop_table(table)
