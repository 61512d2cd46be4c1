"""The command: its settings, and its end."""

import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from cli.testbed.tcp_ports import free_ports
from cli.testbed.wait import until
from integrations.kubernetes.main import run
from integrations.kubernetes.settings import KubernetesSettings
from tests.compat.fake_kubernetes import FakeKubernetes
from tests.unit.cli.test_server import ROOT


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "kubernetes_server"),
        (["--kubernetes-server", "cluster:6443"], "kubernetes_server"),
        (["--kubernetes-server", "http://x", "--cluster", "a-b"], "cluster"),
        (["--kubernetes-server", "http://x", "--listen", "6682"], "listen"),
        (["--kubernetes-server", "http://x", "--log-level", "loud"], "log_level"),
        (["--kubernetes-server", "http://x", "--url", "treadle"], "treadle"),
        (["--kubernetes-server", "http://x", "--token-file", "/none"], "/none"),
        (["--config", "/none"], "/none"),
    ],
)
def test_settings_that_cannot_be_used(
    arguments: list[str],
    told: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    assert run(arguments) == 2
    assert told in capsys.readouterr().err


def test_in_a_pod_the_cluster_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "6443")
    access = KubernetesSettings().cluster_access()
    assert access.server == "https://[fd00::1]:6443"
    assert access.token_file == "/var/run/secrets/kubernetes.io/serviceaccount/token"
    assert access.authority == "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"


@pytest.mark.processes
def test_it_runs_until_it_is_asked_to_end(tmp_path: Path) -> None:
    """Also where neither Treadle nor the cluster answers."""
    health, nobody = free_ports(2)
    with FakeKubernetes() as cluster, (tmp_path / "log").open("w") as log:
        cluster.refuse(503)
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "integrations.kubernetes.main"),
                *("--kubernetes-server", cluster.url, "--url", f"http://127.0.0.1:{nobody}"),
                *("--listen", f"127.0.0.1:{health}"),
            ],
            cwd=ROOT,
            stdout=log,
            stderr=log,
        )
        try:
            base = f"http://127.0.0.1:{health}"

            def problems() -> dict[str, str]:
                try:
                    found: dict[str, str] = httpx.get(f"{base}/healthz", timeout=30).json()[
                        "problems"
                    ]
                except httpx.TransportError:
                    return {}
                return found

            until(lambda: {"writing", "Pod", "Namespace"} <= problems().keys(), "trouble", 30)
            assert "503" in problems()["Pod"]
            assert httpx.get(f"{base}/readyz", timeout=30).status_code == 503
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
        finally:
            process.kill()
            process.wait()
    assert "Traceback" not in (tmp_path / "log").read_text()
