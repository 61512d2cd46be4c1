"""Container hosts for tests: a real ``dockerd`` on each hypervisor of a lab.

A host is the hypervisor's network namespace, with processes, mounts and a host name of its
own: ``/run/docker`` and ``/etc/docker`` are the host's alone, so that plugins are found where
Docker looks for them, and two hosts don't see each other. All that was started on a host ends
with it, containers included.
"""

import io
import json
import os
import signal
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from cli.testbed.errors import CommandError
from cli.testbed.hypervisor import Hypervisor
from cli.testbed.namespace import run
from cli.testbed.process import Process, spawn
from cli.testbed.wait import until
from tests.system.conftest import Scene, two_hypervisors

IMAGE = "busybox"
"""An image with busybox's commands, which every host has."""

# A newer client, if there is one on PATH, speaks an API that the packaged daemon lacks.
_DOCKER = "/usr/bin/docker"
_COMMANDS = ("sh", "ping", "sleep", "ip", "nc", "cat", "wget", "arping", "ls", "echo", "true")
_BEGIN = """
mount -t tmpfs tmpfs /run/docker
mount -t tmpfs tmpfs /etc/docker
mkdir /run/docker/plugins
hostname "$2"
touch "$1"
# The shell stays and waits, so that it takes leave of orphans, as a host's first process does.
sleep infinity &
wait
"""


class ContainerHost:
    """One hypervisor with a ``dockerd``, and what runs beside it."""

    def __init__(self, hypervisor: Hypervisor, directory: Path) -> None:
        self.hypervisor = hypervisor
        self.directory = directory
        self._first = 0
        self._unshare: subprocess.Popen[bytes] | None = None
        self._dockerd: Process | None = None

    @property
    def name(self) -> str:
        """Its host name, which is also the chassis' ``external_ids:hostname``."""
        return self.hypervisor.namespace.name

    @property
    def environment(self) -> dict[str, str]:
        """Lets the tools of Docker and Open vSwitch find what runs on this host."""
        return {**self.hypervisor.environment, "DOCKER_HOST": f"unix://{self.socket}"}

    @property
    def socket(self) -> Path:
        return self.directory / "docker.sock"

    @property
    def _cgroup(self) -> str:
        return f"treadle-{self.name}"

    @property
    def log(self) -> Path:
        return self.directory / "dockerd.log"

    # The host

    def boot(self) -> None:
        """Make the host's namespaces. Raises :class:`CommandError` if there can be none."""
        self.directory.mkdir(parents=True, exist_ok=True)
        for mount_point in ("/run/docker", "/etc/docker"):
            Path(mount_point).mkdir(exist_ok=True)
        ready = self.directory / "ready"
        ready.unlink(missing_ok=True)
        unshare = ["unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc"]
        begin = ["sh", "-euc", _BEGIN, "host", str(ready), self.name]
        argv = self.hypervisor.namespace.argv([*unshare, *begin])
        process = subprocess.Popen(argv, start_new_session=True)
        self._unshare = process
        until(lambda: process.poll() is not None or ready.exists(), "the host's namespaces")
        if process.poll() is not None:
            raise CommandError(f"no namespaces for {self.name}: exit code {process.returncode}")
        (self._first,) = _children(process.pid)

    def crash(self) -> None:
        """End everything that runs on the host at once, as a power failure does."""
        if self._unshare is None:
            return
        # The first process of a process namespace takes all others with it.
        with suppress(ProcessLookupError):
            os.kill(self._first, signal.SIGKILL)
        self._unshare.wait()
        self._unshare = None
        self._dockerd = None

    def close(self) -> None:
        """End the host and remove what its containers left in the cgroup hierarchies."""
        self.crash()
        for group in Path("/sys/fs/cgroup").glob(f"*/{self._cgroup}"):
            for below in sorted(group.rglob("*/"), reverse=True):
                _remove_cgroup(below)
            _remove_cgroup(group)

    def argv(self, *command: str, directory: Path = Path("/")) -> list[str]:
        """The command line that runs `command` on the host, in a directory there."""
        # With its root: entering mounts alone would leave a chroot.
        entered = ["--net", "--mount", "--uts", "--pid", "--root", f"--wdns={directory}"]
        return ["nsenter", f"--target={self._first}", *entered, "--", *command]

    def run(self, *command: str, timeout: float = 60, check: bool = True) -> str:
        """Run a command on the host; it finds the host's Docker and Open vSwitch."""
        settings = [f"{name}={value}" for name, value in self.environment.items()]
        argv = self.argv("env", *settings, *command)
        try:
            return run(argv, timeout=timeout, check=check)
        except CommandError as error:
            where, said = " ".join(argv), " ".join(command)
            raise CommandError(str(error).replace(where, f"{self.name}: {said}")) from None

    def spawn(
        self, what: str, argv: list[str], log: Path, environment: Mapping[str, str] | None = None
    ) -> Process:
        """Start a daemon on the host; signals reach the daemon itself."""
        settings = {**self.environment, **(environment or {})}
        entering = spawn(what, self.argv(*argv), log, settings)
        # nsenter stays as the parent of what it starts in another process namespace.
        until(lambda: entering.check() or _children(entering.pid), what)
        return Process.running(what, _children(entering.pid)[0], str(log))

    # Docker

    def start_dockerd(self) -> None:
        """Start ``dockerd`` and wait until it answers."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._dockerd = self.spawn(
            f"dockerd of {self.name}",
            [
                "dockerd",
                *("--iptables=false", "--ip6tables=false", "--ip-masq=false", "--bridge=none"),
                f"--data-root={self.directory / 'data'}",
                f"--host=unix://{self.socket}",
                "--pidfile=/run/docker/dockerd.pid",
                f"--cgroup-parent=/{self._cgroup}",
            ],
            self.log,
        )
        until(lambda: self.dockerd.check() or self._answers(), f"dockerd of {self.name}", 60)

    @property
    def dockerd(self) -> Process:
        assert self._dockerd is not None, f"no dockerd was started on {self.name}"
        return self._dockerd

    def _answers(self) -> bool:
        try:
            self.docker("version", "--format", "{{.Server.Version}}")
        except CommandError:
            return False
        return True

    def docker(self, *arguments: str, timeout: float = 60) -> str:
        """``docker`` on this host; its output without the last line's end.

        Raises :class:`CommandError` with what it says when it fails.
        """
        return self.run(_DOCKER, *arguments, timeout=timeout).rstrip("\n")

    def inspect(self, *arguments: str) -> dict[str, Any]:
        """The description of one object, ``docker [network] inspect NAME``."""
        described = json.loads(self.docker(*arguments))
        assert isinstance(described, list)
        first: dict[str, Any] = described[0]
        return first

    def start_container(self, name: str, network: str, *options: str) -> dict[str, Any]:
        """Run a container that sleeps; how it is attached to `network`.

        That is a name, or ``name=NAME,driver-opt=KEY=VALUE``.
        """
        # As process 1 it ignores SIGTERM, and Docker would wait for ten seconds to stop it.
        started = ["run", "--detach", "--stop-signal", "KILL", "--name", name]
        self.docker(*started, "--network", network, *options, IMAGE, "sleep", "1000000")
        return self.attachment(name, network.removeprefix("name=").partition(",")[0])

    def attachment(self, container: str, network: str) -> dict[str, Any]:
        """Addresses and ids of a container's endpoint on a network, as Docker tells them."""
        attached: dict[str, Any] = self.inspect("inspect", container)["NetworkSettings"]
        endpoint: dict[str, Any] = attached["Networks"][network]
        return endpoint

    def pings(self, container: str, address: str, *, seconds: int = 30) -> bool:
        """Whether a container gets an answer from `address` within `seconds`."""
        options = ["-6"] if ":" in address else []
        ping = ["ping", *options, "-c", "1", "-W", "1", address]
        try:
            until(lambda: self._succeeds("exec", container, *ping), f"ping {address}", seconds)
        except Exception:
            return False
        return True

    def _succeeds(self, *arguments: str) -> bool:
        try:
            self.docker(*arguments)
        except CommandError:
            return False
        return True

    def import_image(self) -> None:
        """Have :data:`IMAGE` on this host, made of the packaged busybox: no registry is asked."""
        archive = self.directory / "busybox.tar"
        archive.write_bytes(_busybox())
        self.docker("import", str(archive), IMAGE)


@contextmanager
def container_hosts(
    scene: Scene, directory: Path, names: tuple[str, ...] = ("hv1", "hv2")
) -> Iterator[dict[str, ContainerHost]]:
    """Hosts with ``dockerd`` and an image on hypervisors of a lab."""
    with ExitStack() as ends:
        hosts: dict[str, ContainerHost] = {}
        for name in names:
            host = ContainerHost(scene.lab.hypervisor(name), directory / name)
            ends.callback(host.close)
            host.boot()
            host.start_dockerd()
            host.import_image()
            hosts[name] = host
        yield hosts


@contextmanager
def two_container_hosts(
    tmp_path_factory: pytest.TempPathFactory, settings: dict[str, str] | None = None
) -> Iterator[tuple[Scene, dict[str, ContainerHost]]]:
    """A lab of two hypervisors, a server with `settings`, and a ``dockerd`` on each."""
    with (
        two_hypervisors(tmp_path_factory, settings) as scene,
        container_hosts(scene, tmp_path_factory.mktemp("dockerd")) as hosts,
    ):
        yield scene, hosts


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _remove_cgroup(group: Path) -> None:
    # The kernel removes a group some time after its last process has ended.
    until(lambda: _is_removed(group), f"the end of cgroup {group}")


def _is_removed(group: Path) -> bool:
    try:
        group.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _busybox() -> bytes:
    """A root file system with busybox and its commands, as a tar archive."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.add("/usr/bin/busybox", "bin/busybox")
        for command in _COMMANDS:
            link = tarfile.TarInfo(f"bin/{command}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
    return packed.getvalue()
