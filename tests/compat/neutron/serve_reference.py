"""Serve Neutron itself, until the process is ended.

A script for an environment with neutron; its arguments are the directory that it may fill, the
port, and the URL of an empty PostgreSQL database, unless SQLite will do. The tables are made
from Neutron's models, for its migrations run on MySQL alone, and so are the rules of new security
groups, which a migration would have brought. Requests are those of an administrator; over SQLite,
which has one writer, one at a time.
"""

import logging
import sys
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

CONFIGURATION = """
[DEFAULT]
auth_strategy = noauth
core_plugin = ml2
service_plugins = router,network_ip_availability
transport_url = fake://
api_paste_config = {prefix}/etc/neutron/api-paste.ini
state_path = {directory}
notify_nova_on_port_status_changes = false
notify_nova_on_port_data_changes = false
dhcp_agent_notification = false
[database]
connection = {database}
[oslo_concurrency]
lock_path = {directory}/lock
[oslo_messaging_notifications]
driver = noop
[ml2]
type_drivers = local,flat,vlan,geneve
tenant_network_types = geneve
mechanism_drivers = logger
extension_drivers = port_security,tag_ports_during_bulk_creation
[ml2_type_geneve]
vni_ranges = 1:10000
max_header_size = 38
[ml2_type_flat]
flat_networks = *
"""


class QuietHandler(WSGIRequestHandler):
    """Writes no line for each request."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its base says so
        pass


class ThreadedServer(ThreadingMixIn, WSGIServer):
    """Answers each request in a thread of its own."""

    daemon_threads = True


def configure(directory: Path, database: str) -> None:
    """Have Neutron find its configuration, as its own scripts would."""
    file = directory / "neutron.conf"
    values = {"directory": directory, "prefix": sys.prefix, "database": database}
    file.write_text(CONFIGURATION.format(**values))
    sys.argv = ["neutron-server", "--config-file", str(file)]


def fill_database(database: str) -> None:
    """Make the tables, and the rules that new security groups get."""
    import sqlalchemy
    from neutron.db.migration.models import head  # noqa: F401 - so that all models are known
    from neutron_lib.db import model_base

    engine = sqlalchemy.create_engine(database)
    model_base.BASEV2.metadata.create_all(engine)


def add_default_rules() -> None:
    from neutron_lib import context
    from neutron_lib.plugins import directory as plugins

    administrator = context.get_admin_context()
    for ethertype in ("IPv4", "IPv6"):
        for direction in ("egress", "ingress"):
            outgoing = direction == "egress"
            rule = {
                "direction": direction,
                "ethertype": ethertype,
                "remote_group_id": None if outgoing else "PARENT",
                "used_in_default_sg": True,
                "used_in_non_default_sg": outgoing,
                "description": "",
                "protocol": None,
                "port_range_min": None,
                "port_range_max": None,
                "remote_ip_prefix": None,
                "remote_address_group_id": None,
            }
            plugins.get_plugin().create_default_security_group_rule(
                administrator, {"default_security_group_rule": rule}
            )


def main() -> None:
    directory, port = Path(sys.argv[1]), int(sys.argv[2])
    sqlite = f"sqlite:///{directory}/neutron.db"
    database = sys.argv[3] if len(sys.argv) > 3 else sqlite
    configure(directory, database)
    fill_database(database)
    from neutron.wsgi.api import application

    logging.disable(logging.INFO)
    add_default_rules()
    kind = WSGIServer if database == sqlite else ThreadedServer
    with make_server("127.0.0.1", port, application, kind, QuietHandler) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
