"""What Docker itself says that it has: its networks, and their endpoints."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from integrations.deadline import Deadline
from integrations.docker.unix_http import UnixConnection
from integrations.http_exchange import Connection, HttpError

Networks = Mapping[str, frozenset[str]]
"""The endpoints of each network, by its id."""


class DockerError(Exception):
    """Docker doesn't answer, or not what its API says."""


def read_networks(path: Path, deadline: Deadline) -> Networks | None:
    """Return all networks that Docker has, of whatever driver; None if no Docker is at `path`.

    An endpoint that Docker is just making it doesn't tell of yet.
    Raises :class:`DockerError`, and ``TimeLimitError``.
    """
    if not path.exists():
        return None
    connection = UnixConnection(path)
    try:
        listed = _get(connection, "/networks", deadline)
        networks: dict[str, frozenset[str]] = {}
        for each in listed:
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
