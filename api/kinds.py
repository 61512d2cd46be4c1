"""The kinds of objects that users make, as the API serves them.

All of it follows from what the kinds declare (:mod:`northbound.specs.declaration`);
:mod:`api.v1.objects` turns each into its operations.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import BaseModel, create_model

from api import documents
from northbound.names import DEFAULT_PROJECT
from northbound.services import ADDRESS_SETS, LOGICAL_SWITCHES, PORT_GROUPS, SERVICES, Service
from northbound.specs.declaration import with_article

EXAMPLE_ID = "0b4b5f0e-52c1-4d1f-9d1f-0f4f3f6b7a11"


@dataclass(frozen=True)
class Kind:
    """A kind of object, as the API serves it."""

    service: Service[Any, Any]

    @property
    def name(self) -> str:
        return self.service.kind

    @property
    def path(self) -> str:
        """The last part of the path of the collection."""
        return self.service.declaration.path

    @property
    def plural(self) -> str:
        return self.service.declaration.plural

    @property
    def title(self) -> str:
        """The kind's name as people write it.

        >>> LOGICAL_SWITCH.title, KINDS["acl"].title
        ('logical switch', 'ACL')
        """
        return self.service.title

    @property
    def a_title(self) -> str:
        """The same with its article.

        >>> LOGICAL_SWITCH.a_title, KINDS["acl"].a_title
        ('a logical switch', 'an ACL')
        """
        return with_article(self.title)

    @property
    def example(self) -> Mapping[str, Any]:
        """A body that creates an object."""
        return self.service.declaration.example

    @property
    def patch(self) -> Mapping[str, Any]:
        """A merge patch that changes the example."""
        return self.service.declaration.patch

    @property
    def view_name(self) -> str:
        """What the document of an object is called."""
        return self.service.spec.__name__.removesuffix("Spec")

    @cached_property
    def view(self) -> type[BaseModel]:
        """The document of an object: its spec, and facts that are not set by users.

        Made when it is first described, which the server's start doesn't.
        """
        facts = self.service.declaration.facts
        # Facts first: an object always has what a spec may leave to be filled in.
        bases: tuple[type[BaseModel], ...] = (
            documents.Facts,
            *([] if facts is None else [facts]),
            self.service.spec,
        )
        return create_model(
            self.view_name,
            __base__=bases,
            __cls_kwargs__={"use_attribute_docstrings": False},  # the bases have been read
            __doc__=f"{self.a_title[0].upper()}{self.a_title[1:]}.",
        )

    @cached_property
    def view_example(self) -> dict[str, Any]:
        """An object as the API shows it; made once, for all operations that show one."""
        spec = self.service.spec.model_validate(dict(self.example))
        return {
            **spec.model_dump(mode="json"),
            "id": EXAMPLE_ID,
            "project": DEFAULT_PROJECT,
            **self.service.declaration.fact_examples,
            "document": None,
            "version": 42,
        }


KINDS: Mapping[str, Kind] = {name: Kind(service) for name, service in SERVICES.items()}

LOGICAL_SWITCH = KINDS[LOGICAL_SWITCHES.kind]
PORT_GROUP = KINDS[PORT_GROUPS.kind]
ADDRESS_SET = KINDS[ADDRESS_SETS.kind]


@dataclass(frozen=True)
class Content:
    """That objects of `kind` belong to one of `parent`: a collection under its path.

    `field` of the content refers to the parent and follows from the path.
    """

    parent: Kind
    kind: Kind
    path: str

    @property
    def field(self) -> str:
        return self.parent.name

    @property
    def example(self) -> dict[str, Any]:
        """A body that creates one: the kind's, without the field that says where it belongs."""
        owners = {content.field for content in CONTENTS if content.kind is self.kind}
        return {name: value for name, value in self.kind.example.items() if name not in owners}


CONTENTS = tuple(
    Content(KINDS[parent.kind], KINDS[part.kind], part.declaration.collection.replace("_", "-"))
    for parent in SERVICES.values()
    for part in parent.contents
)
