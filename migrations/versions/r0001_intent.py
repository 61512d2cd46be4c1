"""Intent, its history, and who may change it."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "address_set",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("external_ids", sa.JSON(), nullable=False),
        sa.Column("document", sa.String(length=255), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_address_set"),
        sa.UniqueConstraint("name", name="uq_address_set_name"),
    )
    op.create_index("ix_address_set_document", "address_set", ["document"])
    op.create_table(
        "allocation_cursor",
        sa.Column("pool", sa.String(length=255), nullable=False),
        sa.Column("next", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("pool", name="pk_allocation_cursor"),
    )
    op.create_table(
        "api_token",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("chassis", sa.String(length=255), nullable=True),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_api_token"),
        sa.UniqueConstraint("digest", name="uq_api_token_digest"),
        sa.UniqueConstraint("name", name="uq_api_token_name"),
    )
    op.create_table(
        "logical_router",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("tunnel_key", sa.Integer(), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("external_ids", sa.JSON(), nullable=False),
        sa.Column("document", sa.String(length=255), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_logical_router"),
        sa.UniqueConstraint("name", name="uq_logical_router_name"),
        sa.UniqueConstraint("tunnel_key", name="uq_logical_router_tunnel_key"),
    )
    op.create_index("ix_logical_router_document", "logical_router", ["document"])
    op.create_table(
        "logical_switch",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("tunnel_key", sa.Integer(), nullable=False),
        sa.Column("subnet4", sa.String(), nullable=True),
        sa.Column("subnet6", sa.String(), nullable=True),
        sa.Column("exclude_ips", sa.JSON(), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("external_ids", sa.JSON(), nullable=False),
        sa.Column("document", sa.String(length=255), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_logical_switch"),
        sa.UniqueConstraint("name", name="uq_logical_switch_name"),
        sa.UniqueConstraint("tunnel_key", name="uq_logical_switch_tunnel_key"),
    )
    op.create_index("ix_logical_switch_document", "logical_switch", ["document"])
    op.create_table(
        "port_group",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("external_ids", sa.JSON(), nullable=False),
        sa.Column("document", sa.String(length=255), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_port_group"),
        sa.UniqueConstraint("name", name="uq_port_group_name"),
    )
    op.create_index("ix_port_group_document", "port_group", ["document"])
    op.create_table(
        "revision",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("author", sa.String(length=255), nullable=False),
        sa.Column("comment", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_revision"),
    )
    op.create_table(
        "revision_counter",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_revision_counter"),
    )
    op.create_table(
        "acl",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("logical_switch_id", sa.String(length=36), nullable=True),
        sa.Column("port_group_id", sa.String(length=36), nullable=True),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("match", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("log", sa.Boolean(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("meter", sa.String(), nullable=True),
        sa.Column("label", sa.BigInteger(), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("external_ids", sa.JSON(), nullable=False),
        sa.Column("document", sa.String(length=255), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(logical_switch_id IS NULL) <> (port_group_id IS NULL)", name="ck_acl_one_owner"
        ),
        sa.ForeignKeyConstraint(
            ["logical_switch_id"],
            ["logical_switch.id"],
            name="fk_acl_logical_switch_id",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["port_group_id"],
            ["port_group.id"],
            name="fk_acl_port_group_id",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name="pk_acl"),
    )
    op.create_index("ix_acl_document", "acl", ["document"])
    op.create_index("ix_acl_logical_switch_id", "acl", ["logical_switch_id"])
    op.create_index("ix_acl_port_group_id", "acl", ["port_group_id"])
    op.create_table(
        "address_set_address",
        sa.Column("address_set_id", sa.String(length=36), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["address_set_id"],
            ["address_set.id"],
            name="fk_address_set_address_address_set_id",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("address_set_id", "address", name="pk_address_set_address"),
    )
    op.create_table(
        "change",
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("table", sa.String(length=255), nullable=False),
        sa.Column("object_id", sa.String(length=255), nullable=False),
        sa.Column("before", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("after", sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["revision"],
            ["revision.id"],
            name="fk_change_revision",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("revision", "seq", name="pk_change"),
    )
    op.create_index("ix_change_table_object_id", "change", ["table", "object_id"])
    op.create_table(
        "logical_router_port",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("logical_router_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("mac", sa.String(), nullable=False),
        sa.Column("networks", sa.JSON(), nullable=False),
        sa.Column("peer", sa.String(length=255), nullable=True),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("tunnel_key", sa.Integer(), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("external_ids", sa.JSON(), nullable=False),
        sa.Column("document", sa.String(length=255), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["logical_router_id"],
            ["logical_router.id"],
            name="fk_logical_router_port_logical_router_id",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name="pk_logical_router_port"),
        sa.UniqueConstraint(
            "logical_router_id",
            "tunnel_key",
            name="uq_logical_router_port_logical_router_id_tunnel_key",
        ),
        sa.UniqueConstraint("name", name="uq_logical_router_port_name"),
    )
    op.create_index("ix_logical_router_port_document", "logical_router_port", ["document"])
    op.create_index(
        "ix_logical_router_port_logical_router_id", "logical_router_port", ["logical_router_id"]
    )
    op.create_index("ix_logical_router_port_peer", "logical_router_port", ["peer"])
    op.create_table(
        "logical_switch_port",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("logical_switch_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("addresses", sa.JSON(), nullable=False),
        sa.Column("dynamic_addresses", sa.String(), nullable=True),
        sa.Column("port_security", sa.JSON(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("router_port", sa.String(length=255), nullable=True),
        sa.Column("requested_chassis", sa.JSON(), nullable=False),
        sa.Column("tunnel_key", sa.Integer(), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("external_ids", sa.JSON(), nullable=False),
        sa.Column("document", sa.String(length=255), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["logical_switch_id"],
            ["logical_switch.id"],
            name="fk_logical_switch_port_logical_switch_id",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name="pk_logical_switch_port"),
        sa.UniqueConstraint(
            "logical_switch_id",
            "tunnel_key",
            name="uq_logical_switch_port_logical_switch_id_tunnel_key",
        ),
        sa.UniqueConstraint("name", name="uq_logical_switch_port_name"),
    )
    op.create_index("ix_logical_switch_port_document", "logical_switch_port", ["document"])
    op.create_index(
        "ix_logical_switch_port_logical_switch_id", "logical_switch_port", ["logical_switch_id"]
    )
    op.create_index("ix_logical_switch_port_router_port", "logical_switch_port", ["router_port"])
    op.create_table(
        "static_route",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("logical_router_id", sa.String(length=36), nullable=False),
        sa.Column("ip_prefix", sa.String(), nullable=False),
        sa.Column("nexthop", sa.String(), nullable=False),
        sa.Column("output_port", sa.String(length=255), nullable=True),
        sa.Column("policy", sa.String(), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("external_ids", sa.JSON(), nullable=False),
        sa.Column("document", sa.String(length=255), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["logical_router_id"],
            ["logical_router.id"],
            name="fk_static_route_logical_router_id",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name="pk_static_route"),
    )
    op.create_index("ix_static_route_document", "static_route", ["document"])
    op.create_index("ix_static_route_logical_router_id", "static_route", ["logical_router_id"])
    op.create_index("ix_static_route_output_port", "static_route", ["output_port"])
    op.create_table(
        "acl_reference",
        sa.Column("acl_id", sa.String(length=36), nullable=False),
        sa.Column("target", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(
            ["acl_id"],
            ["acl.id"],
            name="fk_acl_reference_acl_id",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("acl_id", "target", name="pk_acl_reference"),
    )
    op.create_index("ix_acl_reference_target", "acl_reference", ["target"])
    op.create_table(
        "address_claim",
        sa.Column("logical_switch_id", sa.String(length=36), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("logical_switch_port_id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["logical_switch_id"],
            ["logical_switch.id"],
            name="fk_address_claim_logical_switch_id",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["logical_switch_port_id"],
            ["logical_switch_port.id"],
            name="fk_address_claim_logical_switch_port_id",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("logical_switch_id", "address", name="pk_address_claim"),
    )
    op.create_index(
        "ix_address_claim_logical_switch_id_number",
        "address_claim",
        ["logical_switch_id", "number"],
    )
    op.create_index(
        "ix_address_claim_logical_switch_port_id", "address_claim", ["logical_switch_port_id"]
    )
    op.create_table(
        "port_group_port",
        sa.Column("port_group_id", sa.String(length=36), nullable=False),
        sa.Column("logical_switch_port_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["logical_switch_port_id"],
            ["logical_switch_port.id"],
            name="fk_port_group_port_logical_switch_port_id",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["port_group_id"],
            ["port_group.id"],
            name="fk_port_group_port_port_group_id",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint(
            "port_group_id", "logical_switch_port_id", name="pk_port_group_port"
        ),
    )
    op.create_index(
        "ix_port_group_port_logical_switch_port_id", "port_group_port", ["logical_switch_port_id"]
    )
    counter = sa.table("revision_counter", sa.column("id"), sa.column("value"))
    op.execute(sa.insert(counter).values(id=1, value=0))


def downgrade() -> None:
    for table in (
        "port_group_port",
        "address_claim",
        "acl_reference",
        "static_route",
        "logical_switch_port",
        "logical_router_port",
        "change",
        "address_set_address",
        "acl",
        "revision_counter",
        "revision",
        "port_group",
        "logical_switch",
        "logical_router",
        "api_token",
        "allocation_cursor",
        "address_set",
    ):
        op.drop_table(table)
