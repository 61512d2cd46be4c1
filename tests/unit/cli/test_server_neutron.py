"""The Neutron API of a server: its file of users at the start and at a reload."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from cli.server.errors import IdentityFileError, KeystoneError
from cli.server.neutron import neutron_app, read_users, reloading_users
from cli.server.settings import NeutronListener
from cli.server.tls import reloading
from northbound.database import Database
from tests.unit.api.conftest import database, serve

__all__ = ["database"]

USERS = '[users.alice]\nroles = { acme = ["member"] }\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "identity.toml"
    path.write_text(USERS)
    path.chmod(0o600)
    return path


def write(path: Path, text: str) -> None:
    path.write_text(text)


def listener(**values: Any) -> NeutronListener:
    return NeutronListener.model_validate({"enabled": True, **values})


def test_users_are_read_where_they_are_needed(file: Path) -> None:
    users = read_users(listener(authentication="identity", identity_file=file))
    assert users is not None
    assert list(users.current.users) == ["alice"]
    assert read_users(listener()) is None
    off = NeutronListener(authentication="basic", identity_file=file / "none")
    assert read_users(off) is None


def test_a_file_that_others_may_read_is_told(file: Path) -> None:
    settings = listener(authentication="basic", identity_file=file)
    with capture_logs() as logs:
        read_users(settings)
        file.chmod(0o644)
        read_users(settings)
    assert [(each["log_level"], each["file"]) for each in logs] == [("warning", str(file))]


def test_a_file_that_cannot_be_used_ends_the_start(file: Path) -> None:
    file.write_text("colour = 1")
    with pytest.raises(IdentityFileError, match="colour"):
        read_users(listener(authentication="basic", identity_file=file))


async def test_a_hangup_reads_users_again(file: Path) -> None:
    users = read_users(listener(authentication="basic", identity_file=file))
    assert users is not None

    async def hang_up() -> list[str]:
        done = asyncio.Event()

        def reload() -> None:
            reloading_users(users)()
            done.set()

        with capture_logs() as logs, reloading((), lambda: None, reload):
            os.kill(os.getpid(), signal.SIGHUP)
            await done.wait()
        return [each["log_level"] for each in logs]

    write(file, USERS + "[users.bob]\n")
    assert await hang_up() == ["info"]
    assert list(users.current.users) == ["alice", "bob"]
    write(file, "colour = 1")
    assert await hang_up() == ["error"]
    assert list(users.current.users) == ["alice", "bob"]
    reloading_users(None)()


async def test_a_keystone_without_its_file_ends_the_start(
    database: Database, tmp_path: Path
) -> None:
    settings = listener(authentication="keystone", keystone_file=tmp_path / "none")
    async with serve(database) as server:
        with pytest.raises(KeystoneError, match="no such file"):
            neutron_app(server.backend, settings, None)
