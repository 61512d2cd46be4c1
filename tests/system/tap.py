"""Raw frames in and out of a VM's `eth0`."""

import socket
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from cli.testbed.host import Host
from cli.testbed.wait import until
from tests.system.frames import Frame, parse

_ALL_PROTOCOLS = 0x0003
_OUTGOING = 4  # PACKET_OUTGOING of packet(7)

Wanted = Callable[[Frame], bool]


class Tap:
    """Sends and receives whole frames; frames that arrived are kept in order.

    Use as a context manager; what arrived before it was opened is not seen.
    """

    def __init__(self, vm: Host) -> None:
        self.vm = vm
        self.received: list[Frame] = []
        self._socket = vm.namespace.socket(
            socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL_PROTOCOLS)
        )
        self._socket.bind(("eth0", _ALL_PROTOCOLS))

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
        self._socket.close()

    def send(self, frame: bytes) -> None:
        self._socket.send(frame.ljust(60, b"\0"))

    def reach(self, receiver: "Tap", frame: bytes, wanted: Wanted, what: str) -> Frame:
        """Send a frame until `receiver` has got what is wanted, as hosts do, and return that.

        One by itself may get lost on a busy machine.
        """

        def arrives() -> bool:
            self.send(frame)
            receiver.drain()
            return bool(receiver.matching(wanted))

        until(arrives, f"{what} at {receiver.vm.name}")
        return receiver.matching(wanted)[0]

    def expect(self, wanted: Wanted, what: str, seconds: float = 30.0) -> Frame:
        """The first frame, of those received so far or within `seconds`, that is wanted."""
        for frame in self.received:
            if wanted(frame):
                return frame
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._socket.settimeout(left)
            try:
                raw, address = self._socket.recvfrom(65536)
            except TimeoutError:
                break
            if address[2] == _OUTGOING:
                continue
            frame = parse(raw)
            self.received.append(frame)
            if wanted(frame):
                return frame
        seen = "\n  ".join(frame.raw.hex() for frame in self.received) or "nothing"
        raise AssertionError(f"{self.vm.name} did not receive {what}; it received\n  {seen}")

    def drain(self) -> None:
        """Receive what has arrived, without waiting for more."""
        self._socket.setblocking(False)
        while True:
            try:
                raw, address = self._socket.recvfrom(65536)
            except BlockingIOError:
                return
            if address[2] != _OUTGOING:
                self.received.append(parse(raw))

    def matching(self, wanted: Wanted) -> list[Frame]:
        """Of the frames received so far, those that are wanted."""
        return [frame for frame in self.received if wanted(frame)]
