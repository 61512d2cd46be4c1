"""How texts refer to objects: by id, by name in a project, or as ``project/name``.

Neither part has a slash in it. Needs no database: the translator speaks of names, too.
"""

from typing import Final, NamedTuple

DEFAULT_PROJECT: Final = "default"
"""The project of objects of which no other is said."""

PROJECT_SIGN: Final = "/"


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
