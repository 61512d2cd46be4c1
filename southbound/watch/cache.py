"""An agent's last known rows on its disk, for a start without the server."""

from pathlib import Path


class RowCache:
    """A file of rows by scope, replaced as a whole, never written in place."""

    def __init__(self, path: Path) -> None:
        self._path = path
