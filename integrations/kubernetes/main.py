"""``treadle-kube-controller``: keeps a Kubernetes cluster's network policies in Treadle."""

import argparse
import logging
import signal
import sys
from collections.abc import Sequence

from integrations.client import Client, ClientError, read_token
from integrations.kubernetes.api import KubernetesApi
from integrations.kubernetes.controller import Controller
from integrations.kubernetes.errors import KubernetesError
from integrations.kubernetes.health import Health, HealthServer
from integrations.kubernetes.settings import KubernetesSettings
from integrations.settings import SettingsError, add_options, load

_USAGE, _FAULT = 2, 1
_LOG = logging.getLogger(__name__)


def run(argv: Sequence[str] | None = None) -> int:
    """Work until SIGTERM or SIGINT; return the exit code: 2 for settings that can't be used."""
    parser = argparse.ArgumentParser(prog="treadle-kube-controller", description=__doc__)
    add_options(parser, KubernetesSettings)
    try:
        settings = load(KubernetesSettings, "kubernetes", vars(parser.parse_args(argv)))
        logging.basicConfig(
            level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(message)s"
        )
        access = settings.cluster_access()
        access.connect(1.0)  # refuses settings that can't be used; opens nothing yet
        health = Health()
        controller = Controller(
            KubernetesApi(access),
            lambda: _client(settings),
            settings.cluster,
            settings.project,
            health,
        )
    except (SettingsError, ClientError, KubernetesError) as error:
        sys.stderr.write(f"treadle-kube-controller: {error}\n")
        return _USAGE
    try:
        server = HealthServer(health, *settings.listen_address())
    except OSError as error:
        sys.stderr.write(f"treadle-kube-controller: {settings.listen}: {error}\n")
        return _FAULT
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: controller.stop())
    _LOG.info("keeping policies of %s in %s", access.server, settings.url)
    try:
        controller.run()
    finally:
        server.stop()
    return 0


def _client(settings: KubernetesSettings) -> Client:
    token = None if settings.token_file is None else read_token(settings.token_file)
    return Client(
        settings.url,
        token=token,
        authority=settings.tls_ca,
        plain_text=settings.plain_text,
    )


def main() -> None:
    """The command."""
    sys.exit(run())


if __name__ == "__main__":
    main()
