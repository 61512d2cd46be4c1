"""Whether packets do as the network says: never what is forbidden, and all of it once calm."""

import threading

from cli.testbed.host import Host


class Forbidden(threading.Thread):
    """Tries a connection that no state of the network allows, again and again."""

    def __init__(self, host: Host, address: str, port: int) -> None:
        super().__init__(name=f"forbidden {host.name}")
        self.tries = 0
        self.violations: list[str] = []
        self._host, self._address, self._port = host, address, port
        self._stopped = threading.Event()

    def run(self) -> None:
        while not self._stopped.is_set():
            outcome = self._host.tcp_outcome(self._address, self._port, timeout=0.3)
            self.tries += 1
            if outcome == "connected":
                self.violations.append(
                    f"{self._host.name} connected to {self._address}:{self._port}"
                )

    def stop(self) -> None:
        self._stopped.set()
        self.join()


def difference(host: Host, address: str, port: int, *, may_connect: bool) -> list[str]:
    """A line if a connection's fate isn't what it has to be.

    What may pass is given several tries: after a restart tunnels have to learn their peers.
    """
    tries = 4 if may_connect else 1
    for _ in range(tries):
        if (host.tcp_outcome(address, port, timeout=1.5) == "connected") == may_connect:
            return []
    verb = "cannot" if may_connect else "can"
    return [f"{host.name} {verb} connect to {address}:{port}"]
