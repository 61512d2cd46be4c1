"""Ids of objects, and what sets them apart from names.

An id is a UUID (RFC 9562), kept in its lower-case form. Wherever an object is referred to by
id or name, a text that has the form of an id is taken for one, and no object may be given a
name of that form but its own id. So an id never leads to an object that is only called so.
"""

import re
import uuid
from typing import Final

ID_PATTERN: Final = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_ID: Final = re.compile(ID_PATTERN, re.IGNORECASE)


def new_id() -> str:
    """Return an id that no object has."""
    return str(uuid.uuid4())


def is_id(text: str) -> bool:
    """Tell whether a text has the form of an id.

    >>> is_id("0b4b5f0e-52c1-4d1f-9d1f-0f4f3f6b7a11"), is_id("web-1")
    (True, False)
    """
    return _ID.fullmatch(text) is not None


def canonical_id(text: str) -> str:
    """Return an id in the form in which it is kept, or raise ValueError.

    >>> canonical_id("0B4B5F0E-52C1-4D1F-9D1F-0F4F3F6B7A11")
    '0b4b5f0e-52c1-4d1f-9d1f-0f4f3f6b7a11'
    """
    if not is_id(text):
        raise ValueError("an id is a UUID: 8-4-4-4-12 hexadecimal digits")
    return text.lower()
