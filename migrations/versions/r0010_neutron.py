"""What the Neutron API keeps beside intent."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


_FIRST_RULES = (
    ("0d6b7e52-6c0d-4f0c-9a51-3c2d8b7a9c01", "egress", "IPv4", None, True),
    ("0d6b7e52-6c0d-4f0c-9a51-3c2d8b7a9c02", "egress", "IPv6", None, True),
    ("0d6b7e52-6c0d-4f0c-9a51-3c2d8b7a9c03", "ingress", "IPv4", "PARENT", False),
    ("0d6b7e52-6c0d-4f0c-9a51-3c2d8b7a9c04", "ingress", "IPv6", "PARENT", False),
)
"""What security groups begin with until an admin says otherwise: as in Neutron."""


def upgrade() -> None:
    default_rules = op.create_table(
        "neutron_default_rule",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("ethertype", sa.String(), nullable=False),
        sa.Column("protocol", sa.String(), nullable=True),
        sa.Column("port_range_min", sa.Integer(), nullable=True),
        sa.Column("port_range_max", sa.Integer(), nullable=True),
        sa.Column("remote_ip_prefix", sa.String(), nullable=True),
        sa.Column("remote_group_id", sa.String(36), nullable=True),
        sa.Column("remote_address_group_id", sa.String(36), nullable=True),
        sa.Column("used_in_default_sg", sa.Boolean(), nullable=False),
        sa.Column("used_in_non_default_sg", sa.Boolean(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_neutron_default_rule"),
    )
    op.bulk_insert(
        default_rules,
        [
            {
                "id": rule_id,
                "direction": direction,
                "ethertype": ethertype,
                "remote_group_id": group,
                "used_in_default_sg": True,
                "used_in_non_default_sg": used_in_others,
                "description": "",
                "version": 0,
            }
            for rule_id, direction, ethertype, group, used_in_others in _FIRST_RULES
        ],
    )
    op.create_table(
        "neutron_quota",
        sa.Column("project", sa.String(255), nullable=False),
        sa.Column("resource", sa.String(255), nullable=False),
        sa.Column("limit", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project", "resource", name="pk_neutron_quota"),
    )
    op.create_table(
        "neutron_subnetpool",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("project", sa.String(255), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("ip_version", sa.Integer(), nullable=False),
        sa.Column("prefixes", sa.JSON(), nullable=False),
        sa.Column("default_prefixlen", sa.Integer(), nullable=False),
        sa.Column("min_prefixlen", sa.Integer(), nullable=False),
        sa.Column("max_prefixlen", sa.Integer(), nullable=False),
        sa.Column("default_quota", sa.Integer(), nullable=True),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("updated_at", sa.String(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_neutron_subnetpool"),
    )
    op.create_index("ix_neutron_subnetpool_project", "neutron_subnetpool", ["project"])
    op.create_table(
        "neutron_address_group",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("updated_at", sa.String(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["id"],
            ["address_set.id"],
            name="fk_neutron_address_group_id",
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name="pk_neutron_address_group"),
    )
    op.create_table(
        "neutron_network",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("mtu", sa.Integer(), nullable=False),
        sa.Column("port_security_enabled", sa.Boolean(), nullable=False),
        sa.Column("admin_state_up", sa.Boolean(), nullable=False),
        sa.Column("external", sa.Boolean(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("dns_domain", sa.String(), nullable=False),
        sa.Column("availability_zone_hints", sa.JSON(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("updated_at", sa.String(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["id"],
            ["logical_switch.id"],
            name="fk_neutron_network_id",
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name="pk_neutron_network"),
    )
    op.create_table(
        "neutron_router",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("availability_zone_hints", sa.JSON(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("updated_at", sa.String(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["id"],
            ["logical_router.id"],
            name="fk_neutron_router_id",
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name="pk_neutron_router"),
    )
    op.create_table(
        "neutron_security_group",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("project", sa.String(255), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("stateful", sa.Boolean(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("updated_at", sa.String(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["id"],
            ["port_group.id"],
            name="fk_neutron_security_group_id",
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name="pk_neutron_security_group"),
    )
    op.create_index("ix_neutron_security_group_project", "neutron_security_group", ["project"])
    op.create_table(
        "neutron_subnet",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("network_id", sa.String(36), nullable=False),
        sa.Column("project", sa.String(255), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("ip_version", sa.Integer(), nullable=False),
        sa.Column("cidr", sa.String(255), nullable=False),
        sa.Column("gateway_ip", sa.String(), nullable=True),
        sa.Column("enable_dhcp", sa.Boolean(), nullable=False),
        sa.Column("allocation_pools", sa.JSON(), nullable=False),
        sa.Column("dns_nameservers", sa.JSON(), nullable=False),
        sa.Column("host_routes", sa.JSON(), nullable=False),
        sa.Column("ipv6_ra_mode", sa.String(), nullable=True),
        sa.Column("ipv6_address_mode", sa.String(), nullable=True),
        sa.Column("service_types", sa.JSON(), nullable=False),
        sa.Column("subnetpool_id", sa.String(36), nullable=True),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("updated_at", sa.String(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["network_id"],
            ["logical_switch.id"],
            name="fk_neutron_subnet_network_id",
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["subnetpool_id"],
            ["neutron_subnetpool.id"],
            name="fk_neutron_subnet_subnetpool_id",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name="pk_neutron_subnet"),
    )
    op.create_index("ix_neutron_subnet_cidr", "neutron_subnet", ["cidr"])
    op.create_index("ix_neutron_subnet_network_id", "neutron_subnet", ["network_id"])
    op.create_index("ix_neutron_subnet_subnetpool_id", "neutron_subnet", ["subnetpool_id"])
    op.create_table(
        "neutron_port",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("device_id", sa.String(255), nullable=False),
        sa.Column("device_owner", sa.String(255), nullable=False),
        sa.Column("vnic_type", sa.String(), nullable=False),
        sa.Column("profile", sa.JSON(), nullable=False),
        sa.Column("allowed_address_pairs", sa.JSON(), nullable=False),
        sa.Column("more", sa.JSON(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("updated_at", sa.String(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["id"],
            ["logical_switch_port.id"],
            name="fk_neutron_port_id",
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name="pk_neutron_port"),
    )
    op.create_index("ix_neutron_port_device_id", "neutron_port", ["device_id"])
    op.create_index("ix_neutron_port_device_owner", "neutron_port", ["device_owner"])
    op.create_table(
        "neutron_security_group_rule",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("security_group_id", sa.String(36), nullable=False),
        sa.Column("project", sa.String(255), nullable=False),
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("ethertype", sa.String(), nullable=False),
        sa.Column("protocol", sa.String(), nullable=True),
        sa.Column("port_range_min", sa.Integer(), nullable=True),
        sa.Column("port_range_max", sa.Integer(), nullable=True),
        sa.Column("remote_ip_prefix", sa.String(), nullable=True),
        sa.Column("remote_group_id", sa.String(36), nullable=True),
        sa.Column("remote_address_group_id", sa.String(36), nullable=True),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("updated_at", sa.String(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["id"],
            ["acl.id"],
            name="fk_neutron_security_group_rule_id",
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["security_group_id"],
            ["port_group.id"],
            name="fk_neutron_security_group_rule_security_group_id",
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name="pk_neutron_security_group_rule"),
    )
    op.create_index(
        "ix_neutron_security_group_rule_remote_address_group_id",
        "neutron_security_group_rule",
        ["remote_address_group_id"],
    )
    op.create_index(
        "ix_neutron_security_group_rule_remote_group_id",
        "neutron_security_group_rule",
        ["remote_group_id"],
    )
    op.create_index(
        "ix_neutron_security_group_rule_security_group_id",
        "neutron_security_group_rule",
        ["security_group_id"],
    )
    op.create_index("ix_address_claim_address", "address_claim", ["address"])


def downgrade() -> None:
    op.drop_index("ix_address_claim_address", "address_claim")
    for table in (
        "neutron_security_group_rule",
        "neutron_port",
        "neutron_subnet",
        "neutron_security_group",
        "neutron_router",
        "neutron_network",
        "neutron_address_group",
        "neutron_subnetpool",
        "neutron_quota",
        "neutron_default_rule",
    ):
        op.drop_table(table)
