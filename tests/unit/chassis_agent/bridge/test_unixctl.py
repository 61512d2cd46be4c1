"""Commands over a control socket: answers in pieces, refusals, and daemons that go away."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import pytest

from chassis_agent.bridge import unixctl
from chassis_agent.errors import ControlError


@asynccontextmanager
async def daemon(path: Path, *pieces: bytes) -> AsyncIterator[list[object]]:
    """A daemon that answers its first request with these pieces; yields what it was asked."""
    asked: list[object] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(json.loads(await reader.read(1 << 16)))
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.01)
        await hang_up(writer)
        finished.set()

    finished = asyncio.Event()
    server = await asyncio.start_unix_server(serve, path)
    async with server:
        yield asked
        await finished.wait()


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


def answer(result: object, error: object = None) -> bytes:
    return json.dumps({"id": 0, "result": result, "error": error}).encode()


async def test_a_command_and_its_answer(tmp_path: Path) -> None:
    path = tmp_path / "ctl"
    async with daemon(path, answer("two\nlines\n")) as asked:
        assert await unixctl.call(path, "dpctl/dump-conntrack", "zone=7") == "two\nlines\n"
    assert asked == [{"id": 0, "method": "dpctl/dump-conntrack", "params": ["zone=7"]}]


async def test_an_answer_in_pieces(tmp_path: Path) -> None:
    whole = answer("a}b}" * 1000)
    cut = whole.index(b"}") + 1
    async with daemon(tmp_path / "ctl", whole[:cut], whole[cut:-1], whole[-1:]):
        assert await unixctl.call(tmp_path / "ctl", "show") == "a}b}" * 1000


async def test_a_refusal(tmp_path: Path) -> None:
    async with daemon(tmp_path / "ctl", answer(None, '"show" is not a valid command\n')):
        with pytest.raises(ControlError, match=r"show: .*not a valid command"):
            await unixctl.call(tmp_path / "ctl", "show")


@pytest.mark.parametrize("reply", [answer(7), b"[1, {}]", b'{"result": "x"}'])
async def test_an_answer_that_is_none(tmp_path: Path, reply: bytes) -> None:
    async with daemon(tmp_path / "ctl", reply):
        with pytest.raises(ControlError):
            await unixctl.call(tmp_path / "ctl", "show")


async def test_a_daemon_that_goes_away(tmp_path: Path) -> None:
    async with daemon(tmp_path / "ctl", answer("text")[:-1]):
        with pytest.raises(ControlError, match="before its answer was complete"):
            await unixctl.call(tmp_path / "ctl", "show")
    with pytest.raises(ControlError, match="No such file"):
        await unixctl.call(tmp_path / "nowhere", "show")


async def test_a_daemon_that_is_silent(tmp_path: Path) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        await hang_up(writer)
        finished.set()

    finished = asyncio.Event()
    server = await asyncio.start_unix_server(serve, tmp_path / "ctl")
    async with server:
        with pytest.raises(ControlError, match="TimeoutError"):
            await unixctl.call(tmp_path / "ctl", "show", timeout=0.05)
        await finished.wait()


@contextmanager
def listening(path: Path) -> Iterator[Path]:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))
        yield path


def test_the_control_socket_is_that_of_the_pid_file_or_the_one_without_a_process_id(
    tmp_path: Path,
) -> None:
    with pytest.raises(ControlError, match=r"names no process; agent\.control_socket can say it"):
        unixctl.control_socket(tmp_path)
    (tmp_path / "ovs-vswitchd.pid").write_text("1234\n")
    with pytest.raises(ControlError, match=r"ovs-vswitchd\.1234\.ctl, which is none"):
        unixctl.control_socket(tmp_path)
    with listening(tmp_path / "ovs-vswitchd.ctl") as fixed:
        assert unixctl.control_socket(tmp_path) == fixed
        with listening(tmp_path / "ovs-vswitchd.1234.ctl") as own:
            assert unixctl.control_socket(tmp_path) == own
            (tmp_path / "ovs-vswitchd.pid").write_text("nonsense\n")
            assert unixctl.control_socket(tmp_path) == fixed
