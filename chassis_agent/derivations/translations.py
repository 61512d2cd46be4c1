"""What routers translate, for which connections may have to end when it changes."""

from collections.abc import Iterator

from incremental import Read
from southbound.rows import Translation


def translations(read: Read, key: str) -> Translation | None:
    """Return what a NAT translates, as a result of which changes are told."""
    return read(Translation, key)


def translations_of(key: str, row: Translation) -> Iterator[tuple[str, str]]:
    """Datapath -> the ids of what is translated there."""
    yield row.datapath, key
