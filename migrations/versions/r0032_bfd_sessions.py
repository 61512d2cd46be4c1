"""BFD sessions of router ports, and what goes by them."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

_GOING_BY_THEM = ("static_route", "router_policy")


def upgrade() -> None:
    op.create_table(
        "bfd_session",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("logical_router_port_id", sa.String(36), nullable=False),
        sa.Column("dst_ip", sa.String(), nullable=False),
        sa.Column("min_tx", sa.Integer(), nullable=False),
        sa.Column("min_rx", sa.Integer(), nullable=False),
        sa.Column("detect_mult", sa.Integer(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["logical_router_port_id"],
            ["logical_router_port.id"],
            name="fk_bfd_session_logical_router_port_id",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("external_ids", sa.JSON(), nullable=False),
        sa.Column("document", sa.String(255), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("project", sa.String(255), nullable=False),
        sa.Column("display_name", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_bfd_session"),
    )
    for column in ("document", "logical_router_port_id", "dst_ip"):
        op.create_index(f"ix_bfd_session_{column}", "bfd_session", [column])
    for table in _GOING_BY_THEM:
        with op.batch_alter_table(table) as altered:
            altered.add_column(
                sa.Column("bfd", sa.Boolean(), nullable=False, server_default=sa.false())
            )
    for table in _GOING_BY_THEM:
        with op.batch_alter_table(table) as altered:
            altered.alter_column("bfd", server_default=None)
    op.create_table(
        "southbound_bfd_session",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("datapath", sa.String(36), nullable=False),
        sa.Column("port", sa.String(255), nullable=False),
        sa.Column("resident", sa.String(255), nullable=False),
        sa.Column("source", sa.String(45), nullable=False),
        sa.Column("neighbour", sa.String(45), nullable=False),
        sa.Column("min_tx", sa.Integer(), nullable=False),
        sa.Column("min_rx", sa.Integer(), nullable=False),
        sa.Column("detect_mult", sa.Integer(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_southbound_bfd_session"),
    )
    op.create_table(
        "southbound_bfd_status",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("datapath", sa.String(36), nullable=False),
        sa.Column("chassis", sa.String(255), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("diagnostic", sa.Integer(), nullable=False),
        sa.Column("remote_diagnostic", sa.Integer(), nullable=False),
        sa.Column("since", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_southbound_bfd_status"),
    )
    for table in ("southbound_bfd_session", "southbound_bfd_status"):
        op.create_index(f"ix_{table}_datapath", table, ["datapath"])


def downgrade() -> None:
    op.drop_table("southbound_bfd_status")
    op.drop_table("southbound_bfd_session")
    for table in _GOING_BY_THEM:
        with op.batch_alter_table(table) as altered:
            altered.drop_column("bfd")
    op.drop_table("bfd_session")
