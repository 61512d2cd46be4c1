"""One call at a time for each attachment, also after calls that were killed.

A runtime may give an ADD up and call DEL, or call ADD twice. And where a call is killed, a tool
that it ran may still be about to make something. So ADD and DEL hold a lock, and the tools that
they run inherit it: it is free when the last of them has ended. It is one octet of a file that
has none, at a place that follows from the id of the attachment's port (an open file description
lock, fcntl(2)), so that nothing is left of it and no attachment waits for another.
"""

import fcntl
import os
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager

from integrations.cni.errors import IO_FAILURE, CniError
from integrations.deadline import Deadline

PATH = "/run/treadle-cni.lock"
_PAUSE = 0.02
_FLOCK = "hhqqi"
"""``struct flock``: type, whence, start, length, pid."""


@contextmanager
def hold(port_id: str, deadline: Deadline, path: str = PATH) -> Iterator[None]:
    """Hold the lock of an attachment.

    Raises ``TimeLimitError`` if others do so until the deadline, and :class:`CniError` if the file
    can't be used.
    """
    place = int(port_id.replace("-", "")[:15], 16)
    request = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, place, 1, 0)
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise CniError(IO_FAILURE, f"{path}: {error.strerror}") from None
    try:
        while True:
            try:
                fcntl.fcntl(file, fcntl.F_OFD_SETLK, request)
                break
            except BlockingIOError:
                time.sleep(deadline.at_most(_PAUSE))
            except OSError as error:
                raise CniError(IO_FAILURE, f"{path}: {error.strerror}") from None
        os.set_inheritable(file, True)
        yield
    finally:
        os.close(file)
