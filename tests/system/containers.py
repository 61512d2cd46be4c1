"""Containers in VMs: network namespaces whose frames have a VLAN tag on the VM's interface.

What Linux would do with a VLAN device is done here by a thread, since kernels of test machines
need not have such devices: it passes on what the container sends with a tag, and to the
container, without it, what has that tag.
"""

import selectors
import socket
import struct
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from cli.testbed.namespace import Namespace
from cli.testbed.vm import Vm

_ALL_PROTOCOLS: Final = 0x0003
_OUTGOING: Final = 4  # PACKET_OUTGOING of packet(7)
_SOL_PACKET: Final = 263
_PACKET_AUXDATA: Final = 8
_TAG_IS_VALID: Final = 1 << 4  # TP_STATUS_VLAN_VALID
_AUXDATA: Final = struct.Struct("=IIIHHHH")  # struct tpacket_auxdata
_LONGEST: Final = 65536
_MTU: Final = "1400"


class Container:
    """A namespace beside that of a VM, with an `eth0` whose frames the VM tags."""

    def __init__(self, name: str, vm: Vm, tag: int, mac: str, address: str) -> None:
        """`address` is one with its prefix length."""
        self.name = name
        self.vm = vm
        self.namespace = Namespace(f"{vm.namespace.name}-{name}")
        self._tag = tag
        self._inner = f"to-{name}"
        self.namespace.create()
        ip = self.namespace.ip
        ip(
            *("link", "add", "eth0", "type", "veth", "peer", "name", self._inner),
            *("netns", vm.namespace.name),
        )
        vm.namespace.ip("link", "set", self._inner, "up")
        self.namespace.run("ethtool", "-K", "eth0", "tx", "off")
        ip("link", "set", "eth0", "address", mac, "mtu", _MTU)
        ip("link", "set", "eth0", "up")
        ip("address", "add", address, "dev", "eth0")
        self._inside = _packet_socket(vm.namespace, self._inner)
        self._outside = _packet_socket(vm.namespace, "eth0")
        self._stopped, self._stop = socket.socketpair()
        self._thread = threading.Thread(target=self._pass_on, name=f"frames of {name}")
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End it, also after its VM is gone."""
        self._stop.close()
        self._thread.join()
        for each in (self._inside, self._outside, self._stopped):
            each.close()
        self.namespace.delete()

    def ping(self, target: str, *, timeout: float = 3.0) -> bool:
        """Whether an echo request is answered in time."""
        command = ("ping", "-n", "-c", "1", "-W", str(timeout), target)
        return "1 received" in self.namespace.run(*command, check=False)

    def reaches(self, target: str, *, seconds: float = 30.0) -> bool:
        """Whether one of the echo requests of so many seconds is answered."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.ping(target, timeout=1.0):
                return True
        return False

    def _pass_on(self) -> None:
        with selectors.DefaultSelector() as waiting:
            for each in (self._inside, self._outside, self._stopped):
                waiting.register(each, selectors.EVENT_READ)
            while True:
                ready = {key.fileobj for key, _ in waiting.select()}
                if self._stopped in ready:
                    return
                with suppress(OSError):  # an interface that is gone, or down
                    if self._inside in ready:
                        self._to_network()
                    if self._outside in ready:
                        self._to_container()

    def _to_network(self) -> None:
        frame, address = self._inside.recvfrom(_LONGEST)
        if address[2] != _OUTGOING:
            self._outside.send(tagged(frame, self._tag))

    def _to_container(self) -> None:
        frame, controls, _, address = self._outside.recvmsg(_LONGEST, _LONGEST)
        tags = [data for level, kind, data in controls if (level, kind) == _AUX]
        if address[2] == _OUTGOING or not tags:
            return
        status, *_, tag, _ = _AUXDATA.unpack(tags[0][: _AUXDATA.size])
        if status & _TAG_IS_VALID and tag & 0xFFF == self._tag:
            self._inside.send(frame)


_AUX: Final = (_SOL_PACKET, _PACKET_AUXDATA)


def tagged(frame: bytes, tag: int) -> bytes:
    """The frame with a VLAN tag."""
    return frame[:12] + b"\x81\x00" + tag.to_bytes(2, "big") + frame[12:]


def _packet_socket(namespace: Namespace, interface: str) -> socket.socket:
    found = namespace.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL_PROTOCOLS))
    found.setsockopt(_SOL_PACKET, _PACKET_AUXDATA, 1)
    found.bind((interface, _ALL_PROTOCOLS))
    return found
