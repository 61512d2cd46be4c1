"""``treadle-docker``: the daemon on a container host that makes Docker's networks Treadle's."""

import argparse
import ipaddress
import json
import logging
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from integrations.client import ClientError, read_token
from integrations.deadline import Deadline, TimeLimitError
from integrations.docker.docker_api import DockerError
from integrations.docker.endpoints import EndpointDriver
from integrations.docker.errors import DriverError
from integrations.docker.ipam import IpamDriver, PendingPools
from integrations.docker.leftovers import Cleaner
from integrations.docker.networks import NetworkDriver
from integrations.docker.plumbing import Plumbing
from integrations.docker.records import Records
from integrations.docker.routes import STATUS, Routes
from integrations.docker.server import Server, SocketTakenError
from integrations.docker.session import Sessions
from integrations.docker.settings import DockerSettings
from integrations.docker.unix_http import UnixConnection
from integrations.host.bridge import switch_facts
from integrations.host.errors import HostError
from integrations.http_exchange import HttpError
from integrations.settings import SettingsError, add_options, load

_USAGE, _FAULT = 2, 1
_SOON = 30.0
"""Seconds to the next look after one that found something, or failed."""
_TROUBLE = (ClientError, DockerError, DriverError, HostError, TimeLimitError)
_LOG = logging.getLogger(__name__)


def run(argv: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; return the exit code: 2 for settings that can't be used."""
    parser = argparse.ArgumentParser(prog="treadle-docker", description=__doc__, allow_abbrev=False)
    add_options(parser, DockerSettings)
    parser.add_argument("--status", action="store_true", help="ask the driver that is running")
    options = vars(parser.parse_args(argv))
    asks = options.pop("status")
    try:
        settings = load(DockerSettings, "docker", options)
        if asks:
            return _show_status(settings)
        logging.basicConfig(
            level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(message)s"
        )
        sessions = _sessions(settings)
    except (SettingsError, ClientError) as error:
        sys.stderr.write(f"treadle-docker: {error}\n")
        return _USAGE
    try:
        driver = Driver(settings, sessions)
    except (HostError, OSError, SocketTakenError, TimeLimitError) as error:
        sys.stderr.write(f"treadle-docker: {error}\n")
        return _FAULT
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=driver.stop).start())
    _LOG.info("listening on %s for Docker", settings.socket)
    driver.serve()
    return 0


def _show_status(settings: DockerSettings) -> int:
    """Print what the running driver tells of itself; return 1 if there is none."""
    connection = UnixConnection(Path(settings.socket))
    try:
        answer = connection.exchange("POST", f"/{STATUS}", {}, b"", Deadline(settings.timeout))
        told = json.loads(answer.body)
    except (HttpError, TimeLimitError, ValueError) as error:
        sys.stderr.write(f"treadle-docker: {settings.socket}: {error}\n")
        return _FAULT
    finally:
        connection.close()
    sys.stdout.write(json.dumps(told, indent=2) + "\n")
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


class Driver:
    """The parts of a running driver, put together."""

    def __init__(self, settings: DockerSettings, sessions: Sessions) -> None:
        """Raises HostError, OSError, SocketTakenError and TimeLimitError."""
        host, bridge = settings.host, settings.bridge
        if host is None or bridge is None:
            facts = switch_facts(Deadline(settings.timeout))
            host = host or facts.system_id or socket.gethostname()
            bridge = bridge or facts.integration_bridge
        wide = settings.scope == "global"
        path = Path(settings.socket)
        records, pending, plumbing = Records(host), PendingPools(), Plumbing(bridge)
        pools = ipaddress.ip_network(settings.pools)
        networks = NetworkDriver(records, pending, settings.project, wide=wide)
        self._interval = settings.interval
        self._sessions = sessions
        self._routes = Routes(
            sessions,
            IpamDriver(records, pending, settings.project, pools, wide=wide),
            networks,
            EndpointDriver(records, plumbing, settings.mtu),
        )
        self._cleaner = Cleaner(
            host,
            plumbing,
            networks,
            Path(settings.docker),
            self._routes.count_removed,
        )
        self._stopping = threading.Event()
        self._server = Server(path, self._routes, settings.requests)

    def serve(self) -> None:
        """Answer Docker, and look for what it left, until :meth:`stop`."""
        cleaning = threading.Thread(target=self._clean, daemon=True)
        cleaning.start()
        self._server.serve()

    def stop(self) -> None:
        self._stopping.set()
        self._server.close()

    def _clean(self) -> None:
        while not self._stopping.is_set():
            soon = True
            try:
                with self._sessions.open() as session:
                    soon = self._cleaner.look(session)
            except _TROUBLE as error:
                self._routes.failed("leftovers", str(error))
                _LOG.warning("can't look for what Docker has no more: %s", error)
            except Exception as error:
                self._routes.failed("leftovers", repr(error))
                _LOG.exception("looking for what Docker has no more: a fault of the driver's own")
            else:
                self._routes.recovered("leftovers")
            # Each look reads all that this host has in Treadle: while there is nothing, seldom.
            self._stopping.wait(min(self._interval, _SOON) if soon else self._interval)


def main() -> None:
    """The console script."""
    sys.exit(run())


if __name__ == "__main__":
    main()
