"""Names in flows and southbound rows, which are unique over all projects.

Objects of the project ``default`` go by their own names there. What other projects have goes by
its id, since each of them may call it as it likes: a port by the id alone, a set by a dot and
the id. No set can be called that, and agents have always taken it for a name.

Where intent refers to an object by name, as a switch port does to its router port, the rows of
translation have its *qualified* name: ``project/name``, or the name alone in ``default``.
"""

from collections.abc import Mapping
from typing import Any

from northbound.names import DEFAULT_PROJECT, qualified_name

Image = Mapping[str, Any]

_REFERENCES = ("router_port", "peer", "output_port", "logical_port")
"""The columns that hold names of objects of the same project."""


def port_image(image: Image) -> Image:
    """Return the image of a port, or of what refers to ports, with names for all projects.

    >>> port_image({"id": "7", "project": "acme", "name": "p", "peer": "q"})["peer"]
    'acme/q'
    """
    project = project_of(image)
    if project == DEFAULT_PROJECT:
        return image
    renamed = dict(image)
    for column in _REFERENCES:
        if image.get(column):
            renamed[column] = qualified_name(project, image[column], DEFAULT_PROJECT)
    if image.get("virtual_parents"):
        renamed["virtual_parents"] = [
            qualified_name(project, name, DEFAULT_PROJECT) for name in image["virtual_parents"]
        ]
    if "name" in image:
        renamed["name"] = port_name(project, image["name"], image["id"])
    return renamed


def port_name(project: str, name: str, port_id: str) -> str:
    """Return the name that flows and rows have for a port of a project."""
    return name if project == DEFAULT_PROJECT else port_id


def set_image(image: Image) -> Image:
    """Return the image of an address set or port group with its name for all projects.

    >>> set_image({"id": "7", "project": "acme", "name": "office"})["name"]
    '.7'
    """
    if project_of(image) == DEFAULT_PROJECT and image["name"] != image["id"]:
        return image
    return {**image, "name": f".{image['id']}"}


def qualified_of(image: Image) -> str:
    """Return the qualified name of an object."""
    return qualified_name(project_of(image), image["name"], DEFAULT_PROJECT)


def project_of(image: Image) -> str:
    """Return the project of an object; images in the log may be older than projects."""
    project: str = image.get("project", DEFAULT_PROJECT)
    return project
