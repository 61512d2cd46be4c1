"""Settings of ``treadle-kube-controller``: the table ``[kubernetes]``."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from integrations.kubernetes.api import Cluster
from integrations.kubernetes.errors import SettingsError
from integrations.settings import setting

LOG_LEVELS = ("debug", "info", "warning", "error")
_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


@dataclass(frozen=True)
class KubernetesSettings:
    """Where the cluster and Treadle are, and what the cluster is called."""

    url: str = setting("http://127.0.0.1:6680", "http:// or https:// address of Treadle's API")
    token_file: str | None = setting(None, "a file with the bearer token for Treadle")
    tls_ca: str | None = setting(None, "certificates that Treadle's server is checked against")
    plain_text: bool = setting(False, "whether that token may go to another host over http://")
    project: str = setting("default", "Treadle's project in which the pods' ports are")
    cluster: str = setting("kubernetes", "the cluster's name: the pending group is NAME_pending")
    kubernetes_server: str | None = setting(
        None, "address of the cluster's API; inside of a pod it is known"
    )
    kubernetes_token_file: str | None = setting(
        None, "a file with the bearer token for the cluster; inside of a pod it is known"
    )
    kubernetes_ca: str | None = setting(
        None, "certificates that the cluster's API is checked against; inside of a pod known"
    )
    listen: str = setting("127.0.0.1:6682", "where /healthz, /readyz and /metrics are served")
    log_level: str = setting("info", "debug, info, warning or error")

    def __post_init__(self) -> None:
        if self.log_level not in LOG_LEVELS:
            raise ValueError(f"log_level: has to be one of {', '.join(LOG_LEVELS)}")
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.]{0,62}", self.cluster):
            raise ValueError("cluster: has to be letters, digits, _ and dots, 63 at most")
        self.listen_address()

    def listen_address(self) -> tuple[str, int]:
        """Return host and port. Raises ValueError."""
        host, _, port = self.listen.rpartition(":")
        if not host or not port.isdigit() or int(port) > 65535:
            raise ValueError(f"listen: {self.listen!r} is no HOST:PORT")
        return host.strip("[]"), int(port)

    def cluster_access(self) -> Cluster:
        """Return how to get to the cluster's API. Raises SettingsError."""
        if self.kubernetes_server is not None:
            return Cluster(self.kubernetes_server, self.kubernetes_token_file, self.kubernetes_ca)
        host = os.environ.get("KUBERNETES_SERVICE_HOST", "")
        port = os.environ.get("KUBERNETES_SERVICE_PORT", "443")
        if not host:
            raise SettingsError("kubernetes_server: is needed outside of a cluster's pods")
        shown = f"[{host}]" if ":" in host else host
        return Cluster(
            f"https://{shown}:{port}",
            self.kubernetes_token_file or str(_ACCOUNT / "token"),
            self.kubernetes_ca or str(_ACCOUNT / "ca.crt"),
        )
