"""DHCP options, and which of them switches and their ports have."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

REFERRING = ("logical_switch", "logical_switch_port")
REFERENCES = ("dhcpv4_options_id", "dhcpv6_options_id")


def upgrade() -> None:
    op.create_table(
        "dhcp_options",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("cidr", sa.String(), nullable=False),
        sa.Column("dhcpv4", sa.JSON(), nullable=True),
        sa.Column("dhcpv6", sa.JSON(), nullable=True),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("external_ids", sa.JSON(), nullable=False),
        sa.Column("document", sa.String(255), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("project", sa.String(255), nullable=False),
        sa.Column("display_name", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_dhcp_options"),
        sa.UniqueConstraint("project", "name", name="uq_dhcp_options_project_name"),
    )
    op.create_index("ix_dhcp_options_document", "dhcp_options", ["document"])
    for table in REFERRING:
        with op.batch_alter_table(table) as changed:
            for column in REFERENCES:
                changed.add_column(sa.Column(column, sa.String(36), nullable=True))
                changed.create_foreign_key(
                    f"fk_{table}_{column}",
                    "dhcp_options",
                    [column],
                    ["id"],
                    initially="DEFERRED",
                    deferrable=True,
                )
                changed.create_index(f"ix_{table}_{column}", [column])
    added: sa.Column[bool] = sa.Column(
        "dhcp", sa.Boolean(), nullable=False, server_default=sa.true()
    )
    with op.batch_alter_table("logical_switch_port") as changed:
        changed.add_column(added)
        changed.add_column(sa.Column("hostname", sa.String(255), nullable=True))
    with op.batch_alter_table("logical_switch_port") as changed:
        changed.alter_column("dhcp", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("logical_switch_port") as changed:
        changed.drop_column("hostname")
        changed.drop_column("dhcp")
    for table in REFERRING:
        with op.batch_alter_table(table) as changed:
            for column in REFERENCES:
                changed.drop_index(f"ix_{table}_{column}")
                changed.drop_constraint(f"fk_{table}_{column}", type_="foreignkey")
                changed.drop_column(column)
    op.drop_table("dhcp_options")
