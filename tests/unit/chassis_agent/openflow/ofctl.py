"""What ``ovs-ofctl`` encodes for a flow written as text: it is given a pretended switch."""

from __future__ import annotations

import socket
import struct
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

_HEADER = struct.Struct("!BBHI")
_HELLO, _BARRIER_REQUEST, _BARRIER_REPLY = 0, 20, 21
_FLOW_MOD_FIXED = 48


class EncodedFlow(NamedTuple):
    """A flow-mod as ``ovs-ofctl`` sent it."""

    message: bytes
    match: bytes
    instructions: bytes


def encode(flows: Sequence[str], directory: Path) -> list[EncodedFlow]:
    """The flow-mods that ``ovs-ofctl add-flows`` sends, in order."""
    messages = record(["add-flows", "SWITCH", "-"], directory, "\n".join(flows))
    assert len(messages) == len(flows)
    return [_split(message) for message in messages]


def record(arguments: Sequence[str], directory: Path, text: str = "") -> list[bytes]:
    """What ``ovs-ofctl`` sends to the ``SWITCH`` among its arguments, save hello and barriers."""
    path = directory / "switch"
    messages: list[bytes] = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(1)
        switch = threading.Thread(target=_pretend, args=(listener, messages))
        switch.start()
        try:
            result = subprocess.run(
                [
                    *("ovs-ofctl", "--no-names", "-O", "OpenFlow15"),
                    *(argument.replace("SWITCH", f"unix:{path}") for argument in arguments),
                ],
                input=text,
                capture_output=True,
                text=True,
                timeout=30,
                check=False,
            )
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            switch.join(20)
    path.unlink()
    assert not result.stderr, result.stderr
    return messages


def _pretend(listener: socket.socket, messages: list[bytes]) -> None:
    try:
        connection, _ = listener.accept()
    except OSError:
        return
    with connection:
        connection.sendall(_HEADER.pack(6, _HELLO, 8, 1))
        buffer = b""
        while chunk := connection.recv(1 << 16):
            buffer += chunk
            while len(buffer) >= 8 and len(buffer) >= (length := _HEADER.unpack_from(buffer)[2]):
                message, buffer = buffer[:length], buffer[length:]
                _, kind, _, xid = _HEADER.unpack_from(message)
                if kind == _BARRIER_REQUEST:
                    connection.sendall(_HEADER.pack(6, _BARRIER_REPLY, 8, xid))
                elif kind != _HELLO:
                    messages.append(message)


def _split(message: bytes) -> EncodedFlow:
    length = struct.unpack_from("!H", message, _FLOW_MOD_FIXED + 2)[0]
    end = _FLOW_MOD_FIXED + (length + 7) // 8 * 8
    return EncodedFlow(message, message[_FLOW_MOD_FIXED:end], message[end:])
