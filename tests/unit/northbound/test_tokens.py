"""API tokens."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from northbound import tokens
from northbound.database import Database
from northbound.errors import ConflictError, InvalidError, NotFoundError
from northbound.models import ApiToken


def make(database: Database, **values: Any) -> str:
    with database.maintain() as session:
        return tokens.create(session, **values)[1]


def who(database: Database, secret: str) -> tuple[str, str, str | None] | None:
    with database.read() as reader:
        token = tokens.authenticate(reader, secret)
    return None if token is None else (token.name, token.role, token.chassis)


def test_a_token_tells_who_it_is(database: Database) -> None:
    alice = make(database, name="alice", role="admin")
    agent = make(database, name="hv1", role="chassis", chassis="hv1")
    assert alice.startswith("treadle_")
    assert who(database, alice) == ("alice", "admin", None)
    assert who(database, agent) == ("hv1", "chassis", "hv1")
    for secret in ("", "treadle_", alice[:-1], alice + "x"):
        assert who(database, secret) is None
    assert database.revision() == 0


def test_secrets_are_not_kept(database: Database) -> None:
    secret = make(database, name="alice", role="admin")
    with database.read() as reader:
        row = reader.session.scalars(select(ApiToken)).one()
        assert secret not in {str(getattr(row, column.key)) for column in ApiToken.__table__.c}
        assert secret.removeprefix(tokens.PREFIX) not in row.digest


def test_tokens_end(database: Database) -> None:
    now = datetime.now(UTC)
    old = make(database, name="old", role="viewer", expires_at=now - timedelta(seconds=1))
    new = make(database, name="new", role="viewer", expires_at=now + timedelta(hours=1))
    assert who(database, old) is None
    assert who(database, new) == ("new", "viewer", None)
    with database.maintain() as session:
        tokens.delete(session, "new")
    assert who(database, new) is None
    with database.read() as reader:
        assert [token.name for token in tokens.every(reader)] == ["old"]
        assert tokens.get(reader, "old").expires_at == now - timedelta(seconds=1)
        with pytest.raises(NotFoundError):
            tokens.get(reader, "new")


@pytest.mark.parametrize(
    ("values", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"role": "root"}, "/role"),
        ({"role": "chassis"}, "/chassis"),
        ({"role": "admin", "chassis": "hv1"}, "/chassis"),
        ({"expires_at": datetime(2030, 1, 1)}, "/expires_at"),  # noqa: DTZ001
    ],
)
def test_token_that_cannot_be(database: Database, values: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidError) as caught:
        make(database, **{"name": "t", "role": "viewer", **values})
    assert [problem.pointer for problem in caught.value.problems] == [pointer]


def test_names_are_unique(database: Database) -> None:
    make(database, name="alice", role="admin")
    with pytest.raises(ConflictError):
        make(database, name="alice", role="viewer")


def test_a_token_may_be_for_one_project(database: Database) -> None:
    secret = make(database, name="alice", role="operator", project="acme")
    make(database, name="bob", role="operator")
    with database.read() as reader:
        found = tokens.authenticate(reader, secret)
        assert found is not None
        assert [token.project for token in tokens.every(reader)] == ["acme", None]
    assert found.project == "acme"


@pytest.mark.parametrize(
    ("role", "project", "reason"),
    [
        ("admin", "acme", "'admin' is for all projects"),
        ("viewer", "", "the name of a project"),
        ("viewer", "a/b", "the name of a project"),
        ("viewer", "acme\n", "the name of a project"),
        ("viewer", "x" * 256, "the name of a project"),
    ],
)
def test_projects_that_a_token_cannot_be_for(
    database: Database, role: str, project: str, reason: str
) -> None:
    with pytest.raises(InvalidError, match=reason) as caught:
        make(database, name="alice", role=role, project=project)
    assert caught.value.problems[0].pointer == "/project"


def test_the_id_of_a_token_wins_over_a_name(database: Database) -> None:
    make(database, name="alice", role="viewer")
    with database.read() as reader:
        alice = tokens.get(reader, "alice")
    with pytest.raises(InvalidError, match="looks like the id"):
        make(database, name=alice.id, role="viewer")
    make(database, name="bob", role="viewer")
    with database.maintain() as session:
        session.scalars(select(ApiToken).where(ApiToken.name == "bob")).one().name = alice.id
    with database.maintain() as session:
        tokens.delete(session, alice.id.upper())
    with database.read() as reader:
        assert [token.id for token in tokens.every(reader)] != [alice.id]
