"""How texts refer to objects: by id, by name in a project, or as ``project/name``.

Neither part has a slash in it. Needs no database: the translator speaks of names, too.
"""

from hashlib import blake2b
from typing import Final, NamedTuple

DEFAULT_PROJECT: Final = "default"
"""The project of objects of which no other is said."""

PROJECT_SIGN: Final = "/"

MAIN_CHAIN: Final = "main"
"""The chain of routing policies that is asked first."""

MAIN_TABLE: Final = "main"
"""The table of routes that name none, and of packets from router ports that name none."""


class Name(NamedTuple):
    """What a text says that refers to an object by name; `project` is None where it says none."""

    project: str | None
    name: str


def parse_name(text: str) -> Name:
    """Take a reference by name apart.

    >>> parse_name("acme/web"), parse_name("web")
    (Name(project='acme', name='web'), Name(project=None, name='web'))
    """
    project, sign, name = text.partition(PROJECT_SIGN)
    return Name(project, name) if sign else Name(None, text)


def qualified_name(project: str, name: str, home: str) -> str:
    """Name an object of `project` as objects of `home` refer to it.

    >>> qualified_name("acme", "web", "acme"), qualified_name("acme", "web", "default")
    ('web', 'acme/web')
    """
    return name if project == home else f"{project}{PROJECT_SIGN}{name}"


def route_table_number(name: str) -> int:
    """Return the 32-bit number by which flows know a route table of a router.

    >>> route_table_number("main"), route_table_number("guests")
    (0, 1381655344)
    """
    if name == MAIN_TABLE:
        return 0
    digest = blake2b(name.encode(), digest_size=8).digest()
    return 1 + int.from_bytes(digest) % 0xFFFFFFFF


def policy_chain_number(name: str) -> int:
    """Return the 16-bit number by which flows know a chain of policies of a router.

    >>> policy_chain_number("main"), policy_chain_number("egress")
    (0, 55136)
    """
    if name == MAIN_CHAIN:
        return 0
    digest = blake2b(name.encode(), digest_size=8).digest()
    return 1 + int.from_bytes(digest) % 0xFFFF
