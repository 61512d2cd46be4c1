"""Realised state."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "southbound_chassis",
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("hostname", sa.String(length=255), nullable=False),
        sa.Column("encaps", sa.Text(), nullable=False),
        sa.Column("external_ids", sa.Text(), nullable=False),
        sa.Column("alive", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_southbound_chassis"),
    )
    op.create_table(
        "southbound_datapath",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=2), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("tunnel_key", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_southbound_datapath"),
    )
    op.create_table(
        "southbound_fdb",
        sa.Column("datapath", sa.String(length=36), nullable=False),
        sa.Column("mac", sa.String(length=17), nullable=False),
        sa.Column("port", sa.String(length=255), nullable=False),
        sa.Column("chassis", sa.String(length=255), nullable=False),
        sa.Column("learned_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("datapath", "mac", name="pk_southbound_fdb"),
    )
    op.create_index("ix_southbound_fdb_port", "southbound_fdb", ["port"])
    op.create_table(
        "southbound_flow_group",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("datapath", sa.String(length=36), nullable=False),
        sa.Column("cause_kind", sa.String(length=255), nullable=False),
        sa.Column("cause_id", sa.String(length=255), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_southbound_flow_group"),
    )
    op.create_index("ix_southbound_flow_group_cause_id", "southbound_flow_group", ["cause_id"])
    op.create_index("ix_southbound_flow_group_datapath", "southbound_flow_group", ["datapath"])
    op.create_table(
        "southbound_mac_binding",
        sa.Column("port", sa.String(length=255), nullable=False),
        sa.Column("ip", sa.String(length=45), nullable=False),
        sa.Column("datapath", sa.String(length=36), nullable=False),
        sa.Column("mac", sa.String(length=17), nullable=False),
        sa.Column("chassis", sa.String(length=255), nullable=False),
        sa.Column("learned_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("port", "ip", name="pk_southbound_mac_binding"),
    )
    op.create_index("ix_southbound_mac_binding_datapath", "southbound_mac_binding", ["datapath"])
    op.create_table(
        "southbound_port_binding",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("datapath", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("tunnel_key", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("addresses", sa.Text(), nullable=False),
        sa.Column("multicast", sa.Text(), nullable=False),
        sa.Column("peer", sa.String(length=255), nullable=False),
        sa.Column("peer_datapath", sa.String(length=36), nullable=False),
        sa.Column("requested_chassis", sa.Text(), nullable=False),
        sa.Column("options", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_southbound_port_binding"),
    )
    op.create_index("ix_southbound_port_binding_datapath", "southbound_port_binding", ["datapath"])
    op.create_index("ix_southbound_port_binding_name", "southbound_port_binding", ["name"])
    op.create_table(
        "southbound_port_fact",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("chassis", sa.String(length=255), nullable=False),
        sa.Column("up", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_southbound_port_fact"),
    )
    op.create_index("ix_southbound_port_fact_chassis", "southbound_port_fact", ["chassis"])
    op.create_table(
        "southbound_progress",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("next_group_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_southbound_progress"),
    )
    op.create_table(
        "southbound_set_member",
        sa.Column("set", sa.String(length=255), nullable=False),
        sa.Column("member", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("set", "member", name="pk_southbound_set_member"),
    )
    op.create_table(
        "southbound_template",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("pipeline", sa.String(length=255), nullable=False),
        sa.Column("stage", sa.String(length=255), nullable=False),
        sa.Column("table_number", sa.Integer(), nullable=False),
        sa.Column("stage_default", sa.String(length=255), nullable=False),
        sa.Column("priority", sa.Text(), nullable=False),
        sa.Column("match", sa.Text(), nullable=False),
        sa.Column("actions", sa.Text(), nullable=False),
        sa.Column("only", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_southbound_template"),
    )


def downgrade() -> None:
    for table in (
        "southbound_template",
        "southbound_set_member",
        "southbound_progress",
        "southbound_port_fact",
        "southbound_port_binding",
        "southbound_mac_binding",
        "southbound_flow_group",
        "southbound_fdb",
        "southbound_datapath",
        "southbound_chassis",
    ):
        op.drop_table(table)
