"""Old revisions lose what they changed, and no living object its author."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from northbound.database import Database
from northbound.errors import NotFoundError
from northbound.models import Change, Revision
from northbound.retention import FEWEST, Retention, first_kept, forget, give_back_space
from northbound.services import revisions
from tests.unit.northbound.network import Network


def rows(database: Database, model: type[Change] | type[Revision]) -> int:
    with database.read() as reader:
        return reader.session.execute(select(func.count()).select_from(model)).scalar_one()


@pytest.fixture
def busy(network: Network, monkeypatch: pytest.MonkeyPatch) -> Network:
    """A switch of revision 1, and a port that changed ten times since."""
    monkeypatch.setattr("northbound.retention.FEWEST", 3)
    network.create("switch", name="lan")
    network.create("port", name="vm", logical_switch="lan")
    for number in range(9):
        network.update("port", "vm", external_ids={"n": str(number)})
    return network


def test_what_is_not_kept_is_forgotten_but_for_the_authors_of_what_there_is(
    busy: Network,
) -> None:
    database = busy.database
    newest = database.revision()
    assert sum(forget(database, Retention(revisions=4))) == newest - 4
    with database.read() as reader:
        kept = [entry.id for entry in revisions.page(reader).items]
        assert kept == [newest, newest - 1, newest - 2, newest - 3, 1]
        first = revisions.get(reader, 1)
        assert (first.author, first.changes) == ("test", None)
        assert revisions.get(reader, newest).changes
        with pytest.raises(NotFoundError):
            revisions.get(reader, 2)
    # Again there is nothing to do, and what there is was not touched.
    assert list(forget(database, Retention(revisions=4))) == []
    assert busy.get("port", "vm")["external_ids"] == {"n": "8"}


def test_the_log_of_a_busy_network_does_not_grow(busy: Network) -> None:
    database, retention = busy.database, Retention(revisions=5)
    for number in range(3):
        for again in range(10):
            busy.update("port", "vm", external_ids={"n": f"{number}.{again}"})
        list(forget(database, retention))
        # Five, and the one in which the switch last changed.
        assert (rows(database, Revision), rows(database, Change)) == (6, 5)


def test_what_the_translator_has_not_read_is_kept(busy: Network) -> None:
    list(forget(busy.database, Retention(revisions=3), until=5))
    with busy.database.read() as reader:
        assert revisions.get(reader, 5).changes
        assert revisions.get(reader, 1).changes is None


def test_days_count_from_when_a_revision_was_made(busy: Network) -> None:
    now = datetime.now(UTC)
    with busy.database.maintain() as session:
        old = update(Revision).where(Revision.id <= 4)
        session.execute(old.values(created_at=now - timedelta(days=8)))
    with busy.database.read() as reader:
        assert first_kept(reader.session, Retention(days=7), now) == 5
        assert first_kept(reader.session, Retention(days=9), now) == 1
        assert first_kept(reader.session, Retention(), now) == 0


def test_the_newest_are_kept_whatever_is_asked_for(network: Network) -> None:
    network.create("switch", name="lan")
    network.update("switch", "lan", external_ids={"a": "b"})
    assert list(forget(network.database, Retention(revisions=1))) == []
    later = datetime.now(UTC) + timedelta(days=365)
    assert list(forget(network.database, Retention(days=1), now=later)) == []
    assert FEWEST >= 1000


def test_space_is_given_back(busy: Network) -> None:
    list(forget(busy.database, Retention(revisions=3)))
    give_back_space(busy.database)
    assert busy.get("port", "vm")["external_ids"] == {"n": "8"}
