"""Several routes for a prefix, route tables, and what decides among equal prefixes."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_INDEX = "ix_static_route_logical_router_id_ip_prefix"
_UNIQUE = "uq_static_route_logical_router_id_number"


def upgrade() -> None:
    with op.batch_alter_table("logical_router_port") as table:
        table.add_column(_route_table())
    with op.batch_alter_table("logical_router_port") as table:
        table.alter_column("route_table", server_default=None)
    with op.batch_alter_table("static_route") as table:
        table.add_column(_route_table())
        table.add_column(sa.Column("origin", sa.String(), nullable=False, server_default="static"))
        table.add_column(
            sa.Column("override_connected", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        table.add_column(sa.Column("number", sa.Integer(), nullable=False, server_default="0"))
    _number_routes()
    with op.batch_alter_table("static_route") as table:
        for column in ("route_table", "origin", "override_connected", "number"):
            table.alter_column(column, server_default=None)
        table.create_unique_constraint(_UNIQUE, ["logical_router_id", "number"])
        table.create_index(_INDEX, ["logical_router_id", "ip_prefix"])


def _route_table() -> sa.Column[str]:
    return sa.Column("route_table", sa.String(255), nullable=False, server_default="main")


def _number_routes() -> None:
    """Number the routes of each router from one on."""
    connection = op.get_bind()
    routes = sa.table(
        "static_route", sa.column("id"), sa.column("logical_router_id"), sa.column("number")
    )
    query = sa.select(routes.c.id, routes.c.logical_router_id)
    numbers: dict[str, int] = {}
    for route, router in connection.execute(query.order_by(routes.c.id)).all():
        numbers[router] = numbers.get(router, 0) + 1
        connection.execute(
            sa.update(routes).where(routes.c.id == route).values(number=numbers[router])
        )


def downgrade() -> None:
    with op.batch_alter_table("static_route") as table:
        table.drop_index(_INDEX)
        table.drop_constraint(_UNIQUE, type_="unique")
        for column in ("number", "override_connected", "origin", "route_table"):
            table.drop_column(column)
    with op.batch_alter_table("logical_router_port") as table:
        table.drop_column("route_table")
