"""A hypervisor of a lab on which the CNI plugin runs, and namespaces that stand for containers."""

import json
import os
import secrets
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from cli.testbed.hypervisor import Hypervisor
from cli.testbed.namespace import Namespace
from integrations.cni.install import install
from tests.faults.proxy import Proxy
from tests.system.conftest import Scene


class CniFailedError(AssertionError):
    """The plugin answered an error, whose `code` the specification has, or the plugin's own."""

    def __init__(self, document: dict[str, Any]) -> None:
        super().__init__(json.dumps(document))
        self.code = document["code"]
        self.text = str(document["msg"])


class CniHost:
    """Runs the plugin on one hypervisor, as a runtime there would; `url` is where Treadle is."""

    def __init__(self, hypervisor: Hypervisor, plugin: Path, proxy: Proxy) -> None:
        self.hypervisor = hypervisor
        self.plugin = plugin
        self.proxy = proxy
        self.url = f"http://127.0.0.1:{proxy.port}"

    def argv(self) -> list[str]:
        return self.hypervisor.namespace.argv([str(self.plugin)])

    def environment(
        self, command: str, container: str, netns: str, ifname: str, args: str
    ) -> dict[str, str]:
        return {
            **os.environ,
            **self.hypervisor.environment,
            "CNI_COMMAND": command,
            "CNI_CONTAINERID": container,
            "CNI_NETNS": netns,
            "CNI_IFNAME": ifname,
            "CNI_ARGS": args,
            "CNI_PATH": str(self.plugin.parent),
        }

    def configuration(self, name: str = "lan", **fields: Any) -> dict[str, Any]:
        return {
            "cniVersion": "1.1.0",
            "name": name,
            "type": "treadle-cni",
            "url": self.url,
            **fields,
        }

    def start(
        self,
        command: str,
        configuration: Mapping[str, Any],
        container: str = "web",
        netns: str = "",
        *,
        ifname: str = "eth0",
        args: str = "",
        tools: Path | None = None,
    ) -> "subprocess.Popen[bytes]":
        """Start the plugin, with its configuration given, and its tools from a folder first."""
        environment = self.environment(command, container, netns, ifname, args)
        if tools is not None:
            environment["PATH"] = f"{tools}:{environment['PATH']}"
        process = subprocess.Popen(
            self.argv(),
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps(configuration).encode())
        process.stdin.close()
        process.stdin = None
        return process

    def call(self, command: str, configuration: Mapping[str, Any], *rest: str, **more: str) -> Any:
        """Run a verb to its end; return what it says, or raise :class:`CniFailedError`."""
        return answer_of(self.start(command, configuration, *rest, **more))

    def collect(self, configuration: Mapping[str, Any], *containers: str) -> None:
        """Run GC; of these containers ``eth0`` is still used."""
        valid = [{"containerID": name, "ifname": "eth0"} for name in containers]
        self.call("GC", {**configuration, "cni.dev/valid-attachments": valid})

    def interfaces(self) -> set[str]:
        """The interfaces of the hypervisor that the plugin has made."""
        links = json.loads(self.hypervisor.namespace.run("ip", "-j", "link"))
        return {link["ifname"] for link in links if link["ifname"].startswith("cni")}

    def bridge_ports(self) -> set[str]:
        output = self.hypervisor.switch.vsctl("list-ports", "br-int")
        return {name for name in output.split() if name.startswith("cni")}


def answer_of(process: "subprocess.Popen[bytes]") -> Any:
    output, log = process.communicate(timeout=150)
    document = json.loads(output) if output.strip() else None
    if process.returncode != 0:
        assert document is not None, log.decode()
        assert set(document) <= {"cniVersion", "code", "msg", "details"}
        raise CniFailedError(document)
    return document


@contextmanager
def cni_hosts(scene: Scene, directory: Path) -> Iterator[dict[str, CniHost]]:
    """The plugin on each hypervisor of a lab, with a way to the lab's server."""
    plugin = install(directory / "bin")
    with ExitStack() as ends:
        hosts = {}
        for name, hypervisor in scene.lab.hypervisors.items():
            proxy = Proxy(scene.lab.server.api_port, namespace=hypervisor.namespace)
            ends.callback(proxy.close)
            hosts[name] = CniHost(hypervisor, plugin, proxy)
        yield hosts


@contextmanager
def containers(count: int) -> Iterator[list[Namespace]]:
    """So many namespaces, as containers have them before they start."""
    tag = secrets.token_hex(3)
    made = [Namespace(f"c{tag}-{i}") for i in range(count)]
    try:
        for namespace in made:
            namespace.create()
        yield made
    finally:
        for namespace in made:
            namespace.delete()


def pings(container: Namespace, address: str, seconds: float = 30) -> bool:
    """Whether an echo request is answered within so many seconds: the first may get lost."""
    end = time.monotonic() + seconds
    while True:
        argv = ["ping", "-n", "-c", "1", "-W", "1", address]
        if "1 received" in container.run(*argv, check=False, timeout=30):
            return True
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
