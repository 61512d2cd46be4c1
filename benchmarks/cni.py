"""What an ADD of the CNI plugin costs until a first ping, and many of them at once.

    python -m benchmarks.cni [CONTAINERS]

A lab of one hypervisor with a real server, agent and Open vSwitch. CPU is that of the plugin and
of the tools that it runs; its share that Python takes to start and to load the plugin is that of
the verb VERSION, which does nothing else. Beside it the same for Debian's ``bridge`` plugin with
``host-local`` addresses (containernetworking-plugins), if it is installed: it asks no server.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

from cli.testbed.lab import Lab
from cli.testbed.namespace import Namespace
from integrations.cni.install import install
from tests.faults.proxy import Proxy

TURNS = 10
_BRIDGE = Path("/usr/lib/cni/bridge")


class Plugin:
    """A plugin on a hypervisor, and how its network is configured."""

    def __init__(
        self, binary: Path, host: Namespace, environment: Mapping[str, str], document: Any
    ) -> None:
        self._argv = host.argv([str(binary)])
        self._environment = {**os.environ, **environment, "CNI_PATH": str(binary.parent)}
        self._document = json.dumps(document).encode()

    def start(self, command: str, netns: Namespace, name: str) -> "subprocess.Popen[bytes]":
        variables = {
            "CNI_COMMAND": command,
            "CNI_CONTAINERID": name,
            "CNI_NETNS": str(netns.path),
            "CNI_IFNAME": "eth0",
        }
        process = subprocess.Popen(
            self._argv,
            env={**self._environment, **variables},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdin is not None
        process.stdin.write(self._document)
        process.stdin.close()
        process.stdin = None
        return process

    def call(self, command: str, netns: Namespace, name: str) -> Any:
        process = self.start(command, netns, name)
        output, log = process.communicate()
        if process.returncode != 0:
            raise SystemExit(f"{command}: {output.decode()}{log.decode()}")
        return json.loads(output) if output.strip() else None


def cpu_of(work: Callable[[], Any]) -> tuple[Any, float]:
    """Do `work`; return its result and the milliseconds of CPU of the processes it waited for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return result, spent * 1000


def one_by_one(plugin: Plugin, made: list[Namespace]) -> dict[str, float]:
    """Return medians of milliseconds: CPU of verbs, and wall time from ADD to a first ping."""
    add, delete, version, ping = [], [], [], []
    first = made[0]
    target = plugin.call("ADD", first, "first")["ips"][0]["address"].partition("/")[0]
    for turn in range(TURNS):
        container = made[1 + turn % (len(made) - 1)]
        version.append(cpu_of(lambda c=container: plugin.call("VERSION", c, "x"))[1])
        began = time.perf_counter()
        add.append(cpu_of(lambda c=container: plugin.call("ADD", c, "x"))[1])
        container.run("ping", "-c", "1", "-W", "5", target)
        ping.append((time.perf_counter() - began) * 1000)
        delete.append(cpu_of(lambda c=container: plugin.call("DEL", c, "x"))[1])
    plugin.call("DEL", first, "first")
    return {
        "add_cpu_ms": round(median(add), 1),
        "start_cpu_ms": round(median(version), 1),
        "delete_cpu_ms": round(median(delete), 1),
        "first_ping_ms": round(median(ping), 1),
    }


def at_once(plugin: Plugin, made: list[Namespace]) -> dict[str, float]:
    """Attach all containers at once, and take them off one by one."""

    def attach() -> int:
        started = [plugin.start("ADD", each, f"c{i}") for i, each in enumerate(made)]
        for process in started:
            process.communicate()
        return sum(process.returncode != 0 for process in started)

    began = time.perf_counter()
    failed, spent = cpu_of(attach)
    lasted = time.perf_counter() - began
    for i, each in enumerate(made):
        plugin.call("DEL", each, f"c{i}")
    return {
        "at_once": len(made),
        "at_once_failed": failed,
        "at_once_cpu_ms": round(spent / len(made), 1),
        "at_once_seconds": round(lasted, 1),
    }


def main(count: int) -> None:
    name = f"b{os.getpid():x}"
    with (
        tempfile.TemporaryDirectory() as directory,
        Lab.create(name, Path(directory) / name) as lab,
    ):
        lab.start_server()
        lab.add_hypervisor("hv1")
        hypervisor = lab.hypervisor("hv1")
        proxy = Proxy(lab.server.api_port, namespace=hypervisor.namespace)
        made = [Namespace(f"{name}-{i}") for i in range(count)]
        try:
            for each in made:
                each.create()
            common = {"cniVersion": "1.0.0", "name": "lan"}
            ours = {
                "type": "treadle-cni",
                "url": f"http://127.0.0.1:{proxy.port}",
                "createSwitch": {"subnet4": "10.9.0.0/16"},
                "timeout": 300,
            }
            binary = install(Path(directory))
            found = {}
            plugin = Plugin(binary, hypervisor.namespace, hypervisor.environment, common | ours)
            found["treadle-cni"] = measure(plugin, made)
            if _BRIDGE.exists():
                pool = {"type": "host-local", "subnet": "10.8.0.0/16", "dataDir": directory}
                theirs = {"type": "bridge", "bridge": "cni0", "ipam": pool}
                plugin = Plugin(_BRIDGE, hypervisor.namespace, {}, common | theirs)
                found["bridge, host-local"] = measure(plugin, made)
            print(json.dumps(found))
        finally:
            proxy.close()
            for each in made:
                each.delete()


def measure(plugin: Plugin, made: list[Namespace]) -> dict[str, float]:
    return {**one_by_one(plugin, made), **at_once(plugin, made)}


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
