"""Small disks of their own for parts of a lab, which can be full."""

import os
from pathlib import Path

from cli.testbed.namespace import run


class Disk:
    """A file system in memory at `path`, mounted while this is open."""

    def __init__(self, path: Path, mebibytes: int = 256) -> None:
        self.path = path
        self._size = mebibytes * 1024 * 1024

    def __enter__(self) -> "Disk":
        self.path.mkdir(parents=True, exist_ok=True)
        run(["mount", "-t", "tmpfs", "-o", f"size={self._size}", "treadle-faults", str(self.path)])
        return self

    def __exit__(self, *_: object) -> None:
        run(["umount", "--lazy", str(self.path)])

    def fill(self) -> None:
        """Leave no room for another page."""
        facts = os.statvfs(self.path)
        used = (facts.f_blocks - facts.f_bfree) * facts.f_frsize
        self._resize(max(used, facts.f_frsize))

    def make_room(self) -> None:
        """Give back all the room."""
        self._resize(self._size)

    def _resize(self, size: int) -> None:
        run(["mount", "-o", f"remount,size={size}", str(self.path)])
