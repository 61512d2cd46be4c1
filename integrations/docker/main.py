"""``treadle-docker``: the daemon on a container host that makes Docker's networks Treadle's."""

import argparse
import ipaddress
import logging
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from integrations.client import ClientError, read_token
from integrations.deadline import Deadline, TimeLimitError
from integrations.docker.endpoints import EndpointDriver
from integrations.docker.ipam import IpamDriver, PendingPools
from integrations.docker.networks import NetworkDriver
from integrations.docker.records import Records
from integrations.docker.routes import Routes
from integrations.docker.server import Server, SocketTakenError
from integrations.docker.session import Sessions
from integrations.docker.settings import DockerSettings
from integrations.host.bridge import system_id
from integrations.host.errors import HostError
from integrations.settings import SettingsError, add_options, load

_USAGE, _FAULT = 2, 1
_LOG = logging.getLogger(__name__)


def run(argv: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; return the exit code: 2 for settings that can't be used."""
    parser = argparse.ArgumentParser(prog="treadle-docker", description=__doc__)
    add_options(parser, DockerSettings)
    try:
        settings = load(DockerSettings, "docker", vars(parser.parse_args(argv)))
        logging.basicConfig(
            level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(message)s"
        )
        sessions = _sessions(settings)
    except (SettingsError, ClientError) as error:
        sys.stderr.write(f"treadle-docker: {error}\n")
        return _USAGE
    try:
        server = Server(Path(settings.socket), _routes(settings, sessions), settings.requests)
    except (HostError, OSError, SocketTakenError, TimeLimitError) as error:
        sys.stderr.write(f"treadle-docker: {error}\n")
        return _FAULT
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.close).start())
    _LOG.info("listening on %s for Docker", settings.socket)
    server.serve()
    return 0


def _sessions(settings: DockerSettings) -> Sessions:
    token = settings.token
    if settings.token_file is not None:
        token = read_token(settings.token_file)
    return Sessions(
        settings.url,
        token,
        settings.tls_ca,
        plain_text=settings.plain_text,
        seconds=settings.timeout,
    )


def _routes(settings: DockerSettings, sessions: Sessions) -> Routes:
    host = settings.host or system_id(Deadline(settings.timeout)) or socket.gethostname()
    records = Records(host)
    pending = PendingPools()
    wide = settings.scope == "global"
    pools = ipaddress.ip_network(settings.pools)
    return Routes(
        sessions,
        IpamDriver(records, pending, settings.project, pools, wide=wide),
        NetworkDriver(records, pending, settings.project, wide=wide),
        EndpointDriver(records, settings.bridge, settings.mtu),
    )


def main() -> None:
    """The console script."""
    sys.exit(run())


if __name__ == "__main__":
    main()
