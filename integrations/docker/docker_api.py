"""What Docker itself says that it has: its networks of this driver, and their endpoints."""

import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from integrations.deadline import Deadline
from integrations.http_exchange import Address, Connection, HttpError

Networks = Mapping[str, frozenset[str]]
"""The endpoints of each network, by its id."""


class DockerError(Exception):
    """Docker doesn't answer, or not what its API says."""


class _UnixConnection(Connection):
    """A connection to a socket of this host."""

    def __init__(self, path: Path) -> None:
        super().__init__(Address(False, "docker", 80, ""), None)
        self._path = path

    def _connect(self, deadline: Deadline) -> socket.socket:
        opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            opened.settimeout(deadline.left())
            opened.connect(str(self._path))
        except BaseException:
            opened.close()
            raise
        return opened


def read_networks(path: Path, driver: str, deadline: Deadline) -> Networks | None:
    """Return what Docker has of a driver's networks; None if there is no Docker at `path`.

    An endpoint that Docker is just making it doesn't tell of yet.
    Raises :class:`DockerError`, and ``TimeLimitError``.
    """
    if not path.exists():
        return None
    connection = _UnixConnection(path)
    try:
        filters = quote(json.dumps({"driver": [driver]}))
        listed = _get(connection, f"/networks?filters={filters}", deadline)
        networks: dict[str, frozenset[str]] = {}
        for each in listed:
            if each["Driver"] != driver:
                continue
            described = _get(connection, f"/networks/{quote(each['Id'], safe='')}", deadline)
            containers = (described or {}).get("Containers") or {}
            ends = frozenset(container["EndpointID"] for container in containers.values())
            networks[each["Id"]] = ends
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise DockerError(f"{path}: what answers isn't Docker: {error!r}") from None
    except HttpError as error:
        raise DockerError(f"{path}: {error}") from None
    finally:
        connection.close()
    return networks


def _get(connection: Connection, target: str, deadline: Deadline) -> Any:
    answer = connection.exchange("GET", target, {"Accept": "application/json"}, b"", deadline)
    if answer.status == 404:
        return None  # it went since it was listed
    if answer.status != 200:
        raise DockerError(f"Docker answered {answer.status} to {target}")
    return json.loads(answer.body)
