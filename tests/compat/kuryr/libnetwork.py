"""kuryr-libnetwork, unmodified, on a container host: Docker's networks are Neutron's."""

import textwrap
from collections.abc import Iterator
from contextlib import contextmanager

from cli.testbed.process import Process
from cli.testbed.wait import until
from tests.compat.dockerd import ContainerHost
from tests.compat.environments import Environment, environment
from tests.faults.proxy import Proxy

NEUTRON_PORT = 9696
KURYR_PORT = 23750

_CONFIGURATION = """
    [DEFAULT]
    kuryr_uri = http://127.0.0.1:{port}
    bindir = {directory}/libexec/kuryr
    capability_scope = local
    [neutron]
    auth_type = none
    endpoint = http://127.0.0.1:{neutron_port}
    vif_plugging_is_fatal = True
    vif_plugging_timeout = 30
"""


class Libnetwork:
    """The daemon ``kuryr-server`` of one host, which its ``dockerd`` finds as the driver kuryr."""

    def __init__(self, host: ContainerHost) -> None:
        self.host = host
        self.log = host.directory / "kuryr.log"
        self._environment: Environment = environment("kuryr-libnetwork")
        self._process: Process | None = None

    def start(self) -> None:
        """Start the daemon, and wait until it answers."""
        configuration = self.host.directory / "kuryr.conf"
        configuration.write_text(
            textwrap.dedent(_CONFIGURATION).format(
                port=KURYR_PORT, directory=self._environment.directory, neutron_port=NEUTRON_PORT
            )
        )
        self._process = self.host.spawn(
            f"kuryr-server of {self.host.name}",
            [self._environment.program("kuryr-server"), "--config-file", str(configuration)],
            self.log,
            {"PATH": self._environment.search_path},
        )
        until(lambda: self.process.check() or self._answers(), f"Kuryr of {self.host.name}", 60)
        directory = "/etc/docker/plugins"
        spec = f"mkdir -p {directory}; echo http://127.0.0.1:{KURYR_PORT} > {directory}/kuryr.spec"
        self.host.run("sh", "-c", spec)

    @property
    def process(self) -> Process:
        assert self._process is not None, f"no Kuryr was started on {self.host.name}"
        return self._process

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop()

    def _answers(self) -> bool:
        url = f"http://127.0.0.1:{KURYR_PORT}/Plugin.Activate"
        argv = ["curl", "--silent", "--fail", "--request", "POST", url]
        return "NetworkDriver" in self.host.run(*argv, check=False)


@contextmanager
def kuryr_on(host: ContainerHost, neutron_port: int) -> Iterator[Libnetwork]:
    """Kuryr on a host; Neutron's API answers on `neutron_port` outside of the host."""
    proxy = Proxy(neutron_port, namespace=host.hypervisor.namespace, port=NEUTRON_PORT)
    kuryr = Libnetwork(host)
    try:
        kuryr.start()
        yield kuryr
    finally:
        kuryr.stop()
        proxy.close()
