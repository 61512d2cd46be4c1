"""Projects, names that are unique within them, and display names.

All that is there belongs to the project ``default``; tokens are for all projects.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

NAMED = (
    "logical_switch",
    "logical_switch_port",
    "logical_router",
    "logical_router_port",
    "port_group",
    "address_set",
)
UNNAMED = ("static_route", "acl")
SHARED = ("logical_switch", "address_set")


def upgrade() -> None:
    for table in (*NAMED, *UNNAMED):
        _add_columns(table)
    op.add_column("api_token", sa.Column("project", sa.String(length=255), nullable=True))


def downgrade() -> None:
    """Go back, which needs names that are unique over all projects."""
    op.drop_column("api_token", "project")
    for table in (*NAMED, *UNNAMED):
        with op.batch_alter_table(table) as changed:
            if table in NAMED:
                changed.drop_constraint(f"uq_{table}_project_name", type_="unique")
                changed.create_unique_constraint(f"uq_{table}_name", ["name"])
            if table in SHARED:
                changed.drop_column("shared")
            changed.drop_column("display_name")
            changed.drop_column("project")


def _add_columns(table: str) -> None:
    added = [
        _project(),
        sa.Column("display_name", sa.String(length=255), nullable=False, server_default=""),
    ]
    if table in SHARED:
        added.append(sa.Column("shared", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table(table) as changed:
        for column in added:
            changed.add_column(column)
    with op.batch_alter_table(table) as changed:
        for column in added:
            changed.alter_column(column.name, server_default=None)
        if table in NAMED:
            changed.drop_constraint(f"uq_{table}_name", type_="unique")
            changed.create_unique_constraint(f"uq_{table}_project_name", ["project", "name"])


def _project() -> sa.Column[str]:
    return sa.Column("project", sa.String(length=255), nullable=False, server_default="default")
