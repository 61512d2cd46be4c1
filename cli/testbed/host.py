"""A host of a lab: a network namespace with one interface, `eth0`, and what it can try."""

import ipaddress
import math
import socket
import time
from pathlib import Path
from typing import ClassVar, Protocol

from cli.testbed.errors import TestbedError
from cli.testbed.namespace import Namespace


class HostState(Protocol):
    """`addresses` are with prefix length, `gateways` without; one gateway a family counts."""

    mac: str
    addresses: list[str]
    gateways: list[str]


class Host:
    """A namespace with one interface, `eth0`, configured as a guest would be."""

    what: ClassVar[str] = "host"
    mtu: ClassVar[int] = 1500

    def __init__(self, name: str, namespace: Namespace, addressing: HostState) -> None:
        self.name = name
        self.namespace = namespace
        self._addressing = addressing

    @property
    def mac(self) -> str:
        return self._addressing.mac

    @property
    def addresses(self) -> list[str]:
        return self._addressing.addresses

    @property
    def ip4(self) -> str:
        """The first IPv4 address, without its prefix length."""
        return self._first(4)

    @property
    def ip6(self) -> str:
        """The first IPv6 address, without its prefix length."""
        return self._first(6)

    def _first(self, version: int) -> str:
        for text in self.addresses:
            interface = ipaddress.ip_interface(text)
            if interface.version == version:
                return str(interface.ip)
        raise TestbedError(f"{self.what} {self.name} has no IPv{version} address")

    def configure(self) -> None:
        """Give `eth0` its MAC, addresses and default routes."""
        self.namespace.call(self._quiet_ipv6)
        ip = self.namespace.ip
        ip("link", "set", "eth0", "address", self.mac, "mtu", str(self.mtu))
        # The userspace datapath sees frames before any hardware would have
        # filled in their checksums.
        self.namespace.run("ethtool", "-K", "eth0", "tx", "off")
        ip("link", "set", "eth0", "up")
        for address in self.addresses:
            extra = ["nodad"] if ":" in address else []
            ip("address", "replace", address, "dev", "eth0", *extra)
        for gateway in self._addressing.gateways:
            version = "-6" if ":" in gateway else "-4"
            ip(version, "route", "replace", "default", "via", gateway, "dev", "eth0")

    @staticmethod
    def _quiet_ipv6() -> None:
        """No router solicitations: the addresses are configured by hand."""
        settings = Path("/proc/sys/net/ipv6/conf")
        for interface in ("all", "default", "eth0"):
            (settings / interface / "accept_ra").write_text("0")
            (settings / interface / "router_solicitations").write_text("0")
            (settings / interface / "accept_dad").write_text("0")

    def ping(self, target: str, *, count: int = 1, timeout: float = 10.0, ttl: int = 64) -> bool:
        """Whether any of `count` echo requests was answered within `timeout` seconds each."""
        output = self.namespace.run(
            *("ping", "-n", "-c", str(count), "-i", "0.2", "-W", str(timeout), "-t", str(ttl)),
            target,
            timeout=timeout * count + 10,
            check=False,
        )
        return " 0 received" not in output and "received" in output

    def reaches(self, target: str, *, seconds: float = 30.0) -> bool:
        """Whether one of the echo requests of so many seconds is answered; returns once one is.

        Some of the first may get lost, while neighbours are asked for or a change is under way.
        """
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            # An error that comes back ends it early.
            limit = ("-c", "1", "-i", "0.2", "-w", str(math.ceil(left)))
            output = self.namespace.run(
                "ping", "-n", *limit, target, timeout=left + 30, check=False
            )
            if "received" in output and " 0 received" not in output:
                return True
            time.sleep(min(0.1, max(left, 0)))
        return False

    def tcp_connects(self, target: str, port: int, *, timeout: float = 30.0) -> bool:
        """Whether a TCP handshake succeeds; both a refusal and silence are a no."""
        return self.tcp_outcome(target, port, timeout=timeout) == "connected"

    def tcp_outcome(self, target: str, port: int, *, timeout: float = 30.0) -> str:
        """``connected``, ``refused`` (a reset or an unreachable came back) or ``timeout``."""
        family = socket.AF_INET6 if ":" in target else socket.AF_INET
        with self.namespace.socket(family, socket.SOCK_STREAM) as client:
            client.settimeout(timeout)
            try:
                client.connect((target, port))
            except TimeoutError:
                return "timeout"
            except OSError:
                return "refused"
            return "connected"
