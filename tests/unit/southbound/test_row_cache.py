"""An agent's rows on its disk: all of them, and the changes behind."""

from pathlib import Path
from random import Random

import pytest

from southbound.rows import AnyRow, Datapath, RowId
from southbound.watch.cache import CachedChange, CachedRows, RowCache, cached_rows
from southbound.watch.inbox import Inbox
from southbound.wire import Part, Update


def switch(number: int, name: str = "s") -> Datapath:
    return Datapath(f"d{number}", "ls", name, number)


def save(cache: RowCache, inbox: Inbox) -> None:
    """As the client does."""
    unsaved = inbox.to_cache() if cache.is_long else inbox.take_unsaved()
    if isinstance(unsaved, CachedRows):
        cache.save(unsaved)
    else:
        cache.add(unsaved)


def held(rows: CachedRows | None) -> tuple[object, ...]:
    """What was saved, in whatever order."""
    assert rows is not None
    scopes = {scope: {row.row_id: row for row in found} for scope, found in rows.scopes.items()}
    return rows.epoch, rows.position, rows.revision, scopes


def update(position: int, *parts: Part) -> Update:
    return Update(0, 0, position, position, parts)


def random_part(rng: Random, scope: str, *, full: bool) -> Part:
    puts = tuple(switch(rng.randrange(6), rng.choice("ab")) for _ in range(rng.randrange(3)))
    gone: tuple[RowId, ...] = tuple(switch(rng.randrange(6)).row_id for _ in range(2))
    return Part(scope, full, puts, () if full else gone)


@pytest.mark.parametrize("seed", range(20))
def test_what_is_loaded_is_what_was_there(tmp_path: Path, seed: int) -> None:
    """Whatever came, was left or began anew, and whenever it was saved."""
    rng = Random(seed)
    cache, inbox = RowCache(tmp_path / "rows"), Inbox("hv1")
    based: set[str] = set()
    for position in range(1, 60):
        what = rng.random()
        if what < 0.05:
            inbox.resume()
            based = set()
        elif what < 0.2:
            inbox.leave(based & {"a"})
            based -= {"a"}
        scopes = rng.sample("abc", rng.randrange(1, 4))
        parts = [
            random_part(rng, scope, full=scope not in based or rng.random() < 0.2)
            for scope in scopes
        ]
        based.update(scopes)
        inbox.apply(f"e{position // 40}", update(position, *parts), lambda _: True)
        if rng.random() < 0.6:
            save(cache, inbox)
            loaded = RowCache(tmp_path / "rows").load()
            assert held(loaded) == held(inbox.to_cache())
    assert [path.name for path in tmp_path.iterdir()] == ["rows"]


def saved(path: Path, count: int) -> tuple[RowCache, int]:
    cache = RowCache(path)
    rows: tuple[AnyRow, ...] = tuple(switch(number) for number in range(count))
    cache.save(cached_rows("e", 1, 1, {"global": rows}))
    return cache, path.stat().st_size


def change(position: int, *puts: Datapath) -> CachedChange:
    return CachedChange("e", position, position, (), (Part("global", False, puts),))


@pytest.mark.parametrize("count", [10, 5000])
def test_a_change_costs_what_it_is(tmp_path: Path, count: int) -> None:
    cache, before = saved(tmp_path / "rows", count)
    cache.add([change(2, switch(1, "b"))])
    assert (tmp_path / "rows").stat().st_size - before < 100
    assert not cache.is_long


def test_after_many_changes_all_rows_are_saved(tmp_path: Path) -> None:
    """The file has no more than twice what rows take, but for a few changes."""
    path = tmp_path / "rows"
    cache, whole = saved(path, 5000)
    changes = [change(2, *(switch(number, "b") for number in range(4000)))]
    was_long = []
    for _ in range(2):
        cache.add(changes)
        was_long.append(cache.is_long)
    assert was_long == [False, True]
    rows = cache.load()
    assert rows is not None
    cache.save(rows)
    assert not cache.is_long
    assert path.stat().st_size == pytest.approx(whole, rel=0.01)


def test_what_a_crash_has_cut_off_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    cache, whole = saved(path, 3)
    cache.add([change(2, switch(1, "b"))])
    first = path.stat().st_size
    cache.add([change(3, switch(1, "c"))])
    data = path.read_bytes()
    for length in range(whole, len(data)):
        for tail in (b"", bytes(len(data) - length)):
            path.write_bytes(data[:length] + tail)
            rows = cache.load()
            assert rows is not None
            assert rows.position == (1 if length < first else 2)
    path.write_bytes(data)
    rows = cache.load()
    assert rows is not None
    assert (rows.position, rows.scopes["global"][1].row_id) == (3, ("datapath", "d1"))
    path.write_bytes(data[: whole - 1])
    assert cache.load() is None
