"""Variables of chassis, and load balancers that are templates of them."""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

_CHANGED = "southbound_virtual_address"


def upgrade() -> None:
    op.create_table(
        "chassis_template_var",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("chassis", sa.String(255), nullable=False),
        sa.Column("variables", sa.JSON(), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("external_ids", sa.JSON(), nullable=False),
        sa.Column("document", sa.String(255), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("project", sa.String(255), nullable=False),
        sa.Column("display_name", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_chassis_template_var"),
        sa.UniqueConstraint("chassis", name="uq_chassis_template_var_chassis"),
    )
    op.create_index("ix_chassis_template_var_document", "chassis_template_var", ["document"])
    with op.batch_alter_table("load_balancer") as table:
        table.add_column(
            sa.Column("template", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        table.add_column(sa.Column("address_family", sa.String(), nullable=True))
    with op.batch_alter_table("load_balancer") as table:
        table.alter_column("template", server_default=None)
    with op.batch_alter_table("load_balancer_vip") as table:
        table.add_column(sa.Column("port_variable", sa.String(), nullable=True))
    op.create_table(
        "southbound_chassis_variable",
        sa.Column("chassis", sa.String(255), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("chassis", "name", name="pk_southbound_chassis_variable"),
    )
    with op.batch_alter_table(_CHANGED) as table:
        table.add_column(
            sa.Column("port_variable", sa.String(255), nullable=False, server_default="")
        )
        table.add_column(sa.Column("family", sa.Integer(), nullable=False, server_default="0"))
        table.alter_column("address", type_=sa.String(255), existing_type=sa.String(45))
    with op.batch_alter_table(_CHANGED) as table:
        table.alter_column("port_variable", server_default=None)
        table.alter_column("family", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table(_CHANGED) as table:
        table.alter_column("address", type_=sa.String(45), existing_type=sa.String(255))
        table.drop_column("family")
        table.drop_column("port_variable")
    op.drop_table("southbound_chassis_variable")
    with op.batch_alter_table("load_balancer_vip") as table:
        table.drop_column("port_variable")
    with op.batch_alter_table("load_balancer") as table:
        table.drop_column("address_family")
        table.drop_column("template")
    op.drop_table("chassis_template_var")
