"""The tables of realised state.

One table a row type, columns named as the row's fields, with two differences.
Lists and maps are JSON text: nothing selects by what is in them. And a port binding's
facts (where it is bound, whether it is up) have a table of their own, because agents
write them while the translator writes the rest: neither can overwrite the other.

There are no foreign keys. Rows refer to each other only in ways that the translator
derived from intent, which has them, and a change may arrive in any order.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "pk": "pk_%(table_name)s"}
)

_id = String(36)
_name = String(255)

stage = Table(
    "southbound_stage",
    metadata,
    Column("name", _name, primary_key=True),
    Column("pipeline", _name, nullable=False),
    Column("place", Integer, nullable=False),
    Column("default", _name, nullable=False),
    Column("failure", _name, nullable=False),
    Column("role", _name, nullable=False),
)

template = Table(
    "southbound_template",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("pipeline", _name, nullable=False),
    Column("stage", _name, nullable=False),
    Column("table_number", Integer, nullable=False),
    Column("stage_default", _name, nullable=False),
    Column("priority", Text, nullable=False),
    Column("match", Text, nullable=False),
    Column("actions", Text, nullable=False),
    Column("only", Text, nullable=False),
)

chassis = Table(
    "southbound_chassis",
    metadata,
    Column("name", _name, primary_key=True),
    Column("hostname", _name, nullable=False),
    Column("encaps", Text, nullable=False),
    Column("external_ids", Text, nullable=False),
    Column("alive", Boolean, nullable=False),
)

datapath = Table(
    "southbound_datapath",
    metadata,
    Column("id", _id, primary_key=True),
    Column("kind", String(2), nullable=False),
    Column("name", _name, nullable=False),
    Column("tunnel_key", Integer, nullable=False),
    Column("neighbour_age", Integer, nullable=False),
)

port_binding = Table(
    "southbound_port_binding",
    metadata,
    Column("id", _id, primary_key=True),
    Column("datapath", _id, nullable=False, index=True),
    Column("name", _name, nullable=False, index=True),
    Column("tunnel_key", Integer, nullable=False),
    Column("type", String(16), nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("addresses", Text, nullable=False),
    Column("multicast", Text, nullable=False),
    Column("peer", _name, nullable=False),
    Column("peer_datapath", _id, nullable=False),
    Column("requested_chassis", Text, nullable=False),
    Column("options", Text, nullable=False),
    Column("neighbours", Text, nullable=False),
    Column("parent", _id, nullable=False),
    Column("parent_name", _name, nullable=False),
    Column("tag", Integer, nullable=False),
    Column("activation", Text, nullable=False),
    Column("distributed_port", _name, nullable=False),
    Column("preemptive", Boolean, nullable=False),
    Column("network", _name, nullable=False),
    Column("virtual_ip", String(45), nullable=False),
    Column("virtual_parents", Text, nullable=False),
    Column("passes_tags", Boolean, nullable=False),
    Column("has_service_tag", Boolean, nullable=False),
)

port_fact = Table(
    "southbound_port_fact",
    metadata,
    Column("id", _id, primary_key=True),
    Column("chassis", _name, nullable=False, index=True),
    Column("up", Boolean, nullable=False),
    Column("additional_chassis", Text, nullable=False),
    Column("activated", Text, nullable=False),
    Column("virtual_parent", _name, nullable=False),
)

flow_group = Table(
    "southbound_flow_group",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("origin", Text, nullable=False),
    Column("datapath", _id, nullable=False, index=True),
    Column("cause_kind", _name, nullable=False),
    Column("cause_id", _name, nullable=False, index=True),
    Column("revision", BigInteger, nullable=False),
    Column("payload", LargeBinary, nullable=False),
)

set_member = Table(
    "southbound_set_member",
    metadata,
    Column("set", _name, primary_key=True),
    Column("member", _name, primary_key=True),
)

mac_binding = Table(
    "southbound_mac_binding",
    metadata,
    Column("port", _name, primary_key=True),
    Column("ip", String(45), primary_key=True),
    Column("datapath", _id, nullable=False, index=True),
    Column("mac", String(17), nullable=False),
    Column("chassis", _name, nullable=False),
    Column("learned_at", Double, nullable=False),
)

fdb = Table(
    "southbound_fdb",
    metadata,
    Column("datapath", _id, primary_key=True),
    Column("mac", String(17), primary_key=True),
    Column("port", _name, nullable=False, index=True),
    Column("chassis", _name, nullable=False),
    Column("learned_at", Double, nullable=False),
)

router_advertisement = Table(
    "southbound_router_advertisement",
    metadata,
    Column("id", _id, primary_key=True),
    Column("datapath", _id, nullable=False, index=True),
    Column("port", _name, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("min_interval", Integer, nullable=False),
    Column("max_interval", Integer, nullable=False),
)

dns_name = Table(
    "southbound_dns_name",
    metadata,
    Column("datapath", _id, primary_key=True),
    Column("id", _id, primary_key=True),
    Column("name", _name, nullable=False),
    Column("ttl", Integer, nullable=False),
    Column("addresses", Text, nullable=False),
    Column("pointer", _name, nullable=False),
    Column("owned", Boolean, nullable=False),
    Column("covers", Boolean, nullable=False),
)

announcement = Table(
    "southbound_announcement",
    metadata,
    Column("id", _name, primary_key=True),
    Column("datapath", _id, nullable=False, index=True),
    Column("port", _name, nullable=False),
    Column("mac", String(17), nullable=False),
    Column("addresses", Text, nullable=False),
)

bfd_session = Table(
    "southbound_bfd_session",
    metadata,
    Column("id", _id, primary_key=True),
    Column("datapath", _id, nullable=False, index=True),
    Column("port", _name, nullable=False),
    Column("resident", _name, nullable=False),
    Column("source", String(45), nullable=False),
    Column("neighbour", String(45), nullable=False),
    Column("min_tx", Integer, nullable=False),
    Column("min_rx", Integer, nullable=False),
    Column("detect_mult", Integer, nullable=False),
    Column("enabled", Boolean, nullable=False),
)

bfd_status = Table(
    "southbound_bfd_status",
    metadata,
    Column("id", _id, primary_key=True),
    Column("datapath", _id, nullable=False, index=True),
    Column("chassis", _name, nullable=False),
    Column("state", String(16), nullable=False),
    Column("diagnostic", Integer, nullable=False),
    Column("remote_diagnostic", Integer, nullable=False),
    Column("since", Double, nullable=False),
)

translation = Table(
    "southbound_translation",
    metadata,
    Column("id", _id, primary_key=True),
    Column("datapath", _id, nullable=False, index=True),
    Column("external", String(45), nullable=False),
    Column("logical", String(49), nullable=False),
    Column("inwards", Boolean, nullable=False),
    Column("outwards", Boolean, nullable=False),
)

virtual_address = Table(
    "southbound_virtual_address",
    metadata,
    Column("set", _name, primary_key=True),
    Column("address", _name, nullable=False),
    Column("port", Integer, nullable=False),
    Column("protocol", String(8), nullable=False),
    Column("ends_connections", Boolean, nullable=False),
    Column("port_variable", _name, nullable=False),
    Column("family", Integer, nullable=False),
)

backend_check = Table(
    "southbound_backend_check",
    metadata,
    Column("set", _name, primary_key=True),
    Column("member", _name, primary_key=True),
    Column("protocol", String(8), nullable=False),
    Column("datapath", _id, nullable=False),
    Column("port", _name, nullable=False),
    Column("mac", String(17), nullable=False),
    Column("source", String(45), nullable=False),
    Column("interval", Integer, nullable=False),
    Column("timeout", Integer, nullable=False),
    Column("success_count", Integer, nullable=False),
    Column("failure_count", Integer, nullable=False),
)

backend_status = Table(
    "southbound_backend_status",
    metadata,
    Column("set", _name, primary_key=True),
    Column("member", _name, primary_key=True),
    Column("up", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("chassis", _name, nullable=False),
    Column("since", Double, nullable=False),
)

chassis_variable = Table(
    "southbound_chassis_variable",
    metadata,
    Column("chassis", _name, primary_key=True),
    Column("name", _name, primary_key=True),
    Column("value", Text, nullable=False),
)

progress = Table(
    "southbound_progress",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("revision", BigInteger, nullable=False),
    Column("next_group_id", BigInteger, nullable=False),
    Column("fence", BigInteger, nullable=False, server_default="0"),
)
"""One row, of id 1: the revision that the intent rows realise, the next free group id, and
the number of the server that may write: it counts those that have taken the database over."""
