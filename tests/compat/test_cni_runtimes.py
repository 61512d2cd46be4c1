"""Container runtimes run ``treadle-cni``: ``ctr run --cni``, and podman by its CNI backend.

Each hypervisor of a lab is a host with mounts and processes of its own, on which the runtime, the
plugin and its configuration are where they are on any host.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from cli.testbed.errors import CommandError
from cli.testbed.wait import until
from integrations.cni.install import install
from tests.compat.dockerd import ContainerHost
from tests.compat.intent import rows_of_intent
from tests.faults.proxy import Proxy
from tests.system.conftest import Scene, two_hypervisors

pytestmark = pytest.mark.system

_COMMANDS = ("sh", "ping", "sleep", "ip", "cat")
_PORT = 6680
_OF_EACH_HOST = ("/opt/cni", "/etc/cni", "/var/lib/cni", "/run/containerd", "/run/runc")
"""Where runtimes keep what is of one host."""
_OVS = "/run/openvswitch"
_PODMAN = """
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
runtime = "runc"
events_logger = "none"
lock_type = "file"
cgroup_manager = "cgroupfs"
[engine.runtimes]
runc = ["/usr/sbin/runc"]
[network]
network_backend = "cni"
cni_plugin_dirs = ["/opt/cni/bin"]
network_config_dir = "/etc/cni/net.d"
"""


class RuntimeHost:
    """A host with containerd, podman and the plugin."""

    def __init__(self, host: ContainerHost, short: Path) -> None:
        """`short` is a folder for what podman wants to have a path of 50 characters at most."""
        self.host = host
        self._short = short
        self.root = host.directory / "rootfs"
        self._socket = host.directory / "containerd.sock"
        self._podman = host.directory / "containers.conf"

    def prepare(self) -> None:
        """Put the plugin and its configuration where runtimes look, and start containerd."""
        for directory in _OF_EACH_HOST:
            Path(directory).mkdir(parents=True, exist_ok=True)
            self.host.run("mount", "-t", "tmpfs", "tmpfs", directory)
        # What podman has cleaned up after it doesn't have the environment with OVS_RUNDIR.
        Path(_OVS).mkdir(parents=True, exist_ok=True)
        self.host.run("mount", "--bind", str(self.host.hypervisor.switch.directory), _OVS)
        plugin = install(self.host.directory / "bin")
        network = self.host.directory / "10-lan.conflist"
        network.write_text(json.dumps(_conflist()))
        self.host.run("mkdir", "/opt/cni/bin", "/etc/cni/net.d")
        self.host.run("cp", str(plugin), "/opt/cni/bin/treadle-cni")
        self.host.run("cp", str(network), "/etc/cni/net.d/10-lan.conflist")
        self._podman.write_text(_PODMAN)
        _make_root(self.root)
        configuration = self.host.directory / "containerd.toml"
        configuration.write_text('version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n')
        self.host.spawn(
            f"containerd of {self.host.name}",
            [
                "containerd",
                *("--config", str(configuration), "--address", str(self._socket)),
                *("--root", str(self.host.directory / "containerd")),
                *("--state", str(self.host.directory / "containerd-state")),
            ],
            self.host.directory / "containerd.log",
        )
        until(self._answers, f"containerd of {self.host.name}", 60)

    def _answers(self) -> bool:
        try:
            self.ctr("version")
        except CommandError:
            return False
        return True

    def ctr(self, *arguments: str) -> str:
        return self.host.run("ctr", "-a", str(self._socket), *arguments)

    def ctr_run(self, name: str, *command: str, detach: bool = False) -> str:
        """Run a container to its end, or have it go on with `detach`."""
        how = ["--detach"] if detach else ["--rm"]
        fifos = ["--fifo-dir", str(self.host.directory / "fifo")]
        cgroup = ["--cgroup", f"/treadle-{self.host.name}/{name}"]
        root = ["--env", "PATH=/bin", "--rootfs", str(self.root)]
        return self.ctr("run", *how, "--cni", *fifos, *cgroup, *root, name, *command)

    def ctr_remove(self, name: str) -> None:
        self.ctr("task", "delete", "--force", name)
        self.ctr("container", "delete", name)

    def podman(self, *arguments: str) -> str:
        directory = self._short
        places = ["--root", f"{directory}/root", "--runroot", f"{directory}/run"]
        return self.host.run(
            *("env", f"CONTAINERS_CONF={self._podman}", "podman", *places),
            *("--tmpdir", f"{directory}/tmp", "--storage-driver", "vfs", *arguments),
        )

    def podman_run(self, name: str, *command: str, options: tuple[str, ...] = ()) -> str:
        group = f"--cgroup-parent=/treadle-{self.host.name}"
        return self.podman(
            *("run", "--name", name, "--network", "lan", group, *options),
            *("--rootfs", str(self.root), *command),
        )


def _conflist() -> dict[str, Any]:
    plugin = {
        "type": "treadle-cni",
        "createSwitch": {"subnet4": "10.22.0.0/24", "subnet6": "fd00:22::/64"},
        "capabilities": {"ips": True, "mac": True},
    }
    return {"cniVersion": "0.4.0", "name": "lan", "plugins": [plugin]}


def _make_root(root: Path) -> None:
    """Make a root file system of busybox."""
    for directory in ("bin", "dev", "etc", "proc", "sys", "run", "tmp"):
        (root / directory).mkdir(parents=True, exist_ok=True)
    (root / "bin/busybox").write_bytes(Path("/bin/busybox").read_bytes())
    (root / "bin/busybox").chmod(0o755)
    for command in _COMMANDS:
        (root / "bin" / command).symlink_to("busybox")


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with two_hypervisors(tmp_path_factory) as scene:
        yield scene


@pytest.fixture(scope="module")
def hosts(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[RuntimeHost]]:
    scene.expected_trouble.append(r"error receiving data from cni\w+: Network is down")
    directory = tmp_path_factory.mktemp("runtimes")
    with ExitStack() as ends:
        hosts = []
        for name, hypervisor in scene.lab.hypervisors.items():
            proxy = Proxy(scene.lab.server.api_port, namespace=hypervisor.namespace, port=_PORT)
            ends.callback(proxy.close)
            short = ends.enter_context(TemporaryDirectory(prefix="podman"))
            host = ContainerHost(hypervisor, directory / name)
            ends.callback(host.close)
            host.boot()
            hosts.append(RuntimeHost(host, Path(short)))
            hosts[-1].prepare()
        yield hosts


@pytest.fixture(autouse=True)
def _nothing_is_left(scene: Scene, hosts: list[RuntimeHost]) -> Iterator[None]:
    before = _namespaces_of_podman()
    yield
    # podman comes back before what cleans up after it.
    until(lambda: _ports(scene) == [], "all ports to be gone")
    until(
        lambda: rows_of_intent(scene.lab.server.database) == {"logical_switch": 1},
        "nothing to be left in the database",
    )
    for each in hosts:
        until(lambda each=each: _interfaces(each) == [], "all interfaces to be gone")  # type: ignore[misc]
    until(lambda: _namespaces_of_podman() == before, "all namespaces to be gone")
    scene.check()


def _interfaces(runtime: RuntimeHost) -> list[str]:
    """The interfaces of containers, of the host and of its bridge."""
    links = [link["ifname"] for link in json.loads(runtime.host.run("ip", "-j", "link"))]
    ports = runtime.host.hypervisor.switch.vsctl("list-ports", "br-int").split()
    return [name for name in (*links, *ports) if name.startswith("cni")]


def _namespaces_of_podman() -> set[str]:
    return {path.name for path in Path("/run/netns").glob("netns-*")}


def _ports(scene: Scene) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = scene.net.get("/logical-switch-ports")["items"]
    return items


def _address(scene: Scene, container: str) -> str:
    (port,) = scene.net.get(f"/logical-switch-ports?label.treadle.cni/container={container}")[
        "items"
    ]
    return str(port["dynamic_addresses"].split()[1])


def test_containerd(scene: Scene, hosts: list[RuntimeHost]) -> None:
    near, far = hosts
    near.ctr_run("web", "sleep", "1000000", detach=True)
    address = _address(scene, "default-web")
    # The same id on another host is another container.
    told = far.ctr_run("web", "sh", "-c", f"ping -c 10 -W 5 {address}; true")
    assert " 100% packet loss" not in told, told
    assert "packet loss" in told, told
    near.ctr_run("db", "ip", "address", "show", "dev", "eth0")
    near.ctr_remove("web")
    # ctr detaches what it has waited for alone; the runtime's GC, or an operator, cleans up.
    near.host.run("sh", "-c", _call("DEL", "default-web"))


def _call(command: str, container: str) -> str:
    """The shell command that calls the plugin with the network's configuration."""
    conflist = _conflist()
    document = json.dumps(
        {**conflist["plugins"][0], **{k: conflist[k] for k in ("cniVersion", "name")}}
    )
    variables = f"CNI_COMMAND={command} CNI_CONTAINERID={container} CNI_IFNAME=eth0 CNI_NETNS="
    return f"echo '{document}' | env {variables} /opt/cni/bin/treadle-cni"


def test_podman(scene: Scene, hosts: list[RuntimeHost]) -> None:
    near, far = hosts
    near.podman_run("web", "sleep", "1000000", options=("--detach", "--stop-signal", "KILL"))
    (port,) = _ports(scene)
    assert port["display_name"] == "web eth0"
    address = str(port["dynamic_addresses"].split()[1])
    asked = ("--rm", "--ip", "10.22.0.77", "--mac-address", "0a:00:00:00:00:77")
    commands = f"ip address show dev eth0; ping -c 10 -W 5 {address}"
    said = far.podman_run("db", "sh", "-c", commands, options=asked)
    assert "10.22.0.77/24" in said
    assert "0a:00:00:00:00:77" in said
    assert " 100% packet loss" not in said, said
    assert "packet loss" in said, said
    near.podman("rm", "--force", "web")
