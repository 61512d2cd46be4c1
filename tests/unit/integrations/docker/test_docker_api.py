"""What Docker is asked, and what is made of strange answers."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from integrations.deadline import Deadline, TimeLimitError
from integrations.docker.docker_api import DockerError, read_networks

Serve = Callable[[dict[str, tuple[int, str]]], Path]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts a socket that answers by path; anything else is a 404."""
    listener = socket.socket(socket.AF_UNIX)
    path = tmp_path / "docker.sock"

    def start(answers: dict[str, tuple[int, str]]) -> Path:
        def run() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    while asked := connection.recv(65536):
                        target = asked.split()[1].decode().partition("?")[0]
                        status, body = answers.get(target, (404, "{}"))
                        head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n"
                        connection.sendall((head + body).encode())

        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=run)
        thread.start()
        threads.append(thread)
        return path

    threads: list[threading.Thread] = []
    yield start
    if threads:
        listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    for thread in threads:
        thread.join(10)


def listing(*networks: str) -> tuple[int, str]:
    return 200, json.dumps([{"Id": name, "Driver": "any"} for name in networks])


def test_networks_with_their_endpoints(serve: Serve) -> None:
    path = serve(
        {
            "/networks": listing("n1", "n2", "went"),
            "/networks/n1": (200, '{"Containers": {"c": {"EndpointID": "e1"}}}'),
            "/networks/n2": (200, '{"Containers": null}'),
        }
    )
    assert read_networks(path, Deadline(10)) == {
        "n1": frozenset({"e1"}),
        "n2": frozenset(),
        "went": frozenset(),
    }


def test_no_socket_is_no_docker(tmp_path: Path) -> None:
    assert read_networks(tmp_path / "none.sock", Deadline(10)) is None


@pytest.mark.parametrize(
    "answer",
    [(500, "{}"), (200, "not json"), (200, '{"x": 1}'), (200, '[{"Id": 1}]'), (200, "[5]")],
)
def test_strange_answers_are_errors(serve: Serve, answer: tuple[int, str]) -> None:
    path = serve({"/networks": answer})
    with pytest.raises(DockerError, match="ocker"):
        read_networks(path, Deadline(10))


def test_a_socket_without_anyone_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "dead.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    with pytest.raises(DockerError, match="refused"):
        read_networks(path, Deadline(10))


def test_one_that_never_answers_ends_with_the_deadline(tmp_path: Path) -> None:
    path = tmp_path / "slow.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        with pytest.raises((DockerError, TimeLimitError)):
            read_networks(path, Deadline(0.1))
