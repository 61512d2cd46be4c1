"""How Alembic runs a migration: on the connection that the program hands it.

Both halves of the one database migrate together, hence the two sets of tables.
"""

from alembic import context

from northbound.models import Base
from southbound.models import metadata as southbound_tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=[Base.metadata, southbound_tables],
    render_as_batch=True,
    compare_type=True,
    transaction_per_migration=False,
)

with context.begin_transaction():
    context.run_migrations()
