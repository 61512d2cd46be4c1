"""The description of the API in OpenAPI, where FastAPI cannot know it by itself.

Bodies reach operations as plain JSON, and responses leave as they came from the
services. Their schemas come from the documents and specs, their examples from
:mod:`api.kinds`.
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from api import documents, problems
from api.kinds import CONTENTS, KINDS, Kind
from api.requests import JSON, MERGE_PATCH
from diagnosis.documents import Trace, TraceRequest
from diagnosis.explain import documents as explain_documents
from northbound.batch import Transaction
from northbound.documents import WHOLE_DOCUMENT

SCHEMAS = "#/components/schemas/"
EXAMPLES = "#/components/examples/"
PATCH_SUFFIX = "Patch"

Schema = dict[str, Any]

_SERVED: tuple[type[BaseModel], ...] = (
    problems.Problem,
    documents.ObjectKind,
    documents.Chassis,
    documents.PortBinding,
    documents.LogicalFlow,
    Trace,
    explain_documents.Reachability,
    documents.AclHits,
    documents.BackendsHealth,
    documents.BfdStatus,
    documents.Cookie,
    documents.Revision,
    documents.RevisionWithChanges,
    documents.Status,
    documents.Differences,
    documents.TransactionResult,
    documents.ApplyResult,
    documents.Token,
    documents.NewToken,
)
_TAKEN: tuple[type[BaseModel], ...] = (
    Transaction,
    documents.TokenRequest,
    TraceRequest,
    explain_documents.ReachabilityRequest,
    WHOLE_DOCUMENT,
)


def reference(name: str) -> Schema:
    return {"$ref": SCHEMAS + name}


def page_of(name: str) -> Schema:
    """The schema of a page of a list."""
    return {
        "type": "object",
        "required": ["items", "next_cursor"],
        "additionalProperties": False,
        "properties": {
            "items": {"type": "array", "items": reference(name)},
            "next_cursor": {
                "type": ["string", "null"],
                "description": "Where the next page starts; `null` on the last one.",
            },
        },
    }


def body(schema: Schema, example: Any, media_types: tuple[str, ...] = (JSON,)) -> Schema:
    """A required request body."""
    content = {media_type: {"schema": schema, "example": example} for media_type in media_types}
    return {"required": True, "content": content}


def bodies(schema: Schema, examples: Mapping[str, Any]) -> Schema:
    """A required request body with several examples, by what they show."""
    named = {
        summary.lower().replace(" ", "-"): {"summary": summary, "value": example}
        for summary, example in examples.items()
    }
    return {"required": True, "content": {JSON: {"schema": schema, "examples": named}}}


def answer(description: str, schema: Schema, example: Any, headers: tuple[str, ...] = ()) -> Schema:
    """A successful response; its example has the name of its schema."""
    named = {_example_name(schema): {"summary": description.rstrip("."), "value": example}}
    return {
        "description": description,
        "content": {JSON: {"schema": schema, "examples": named}},
        "headers": {name: HEADERS[name] for name in headers},
    }


def _example_name(schema: Schema) -> str:
    """
    >>> _example_name(reference("Acl")), _example_name(page_of("Acl"))
    ('Acl', 'AclPage')
    """
    if "$ref" in schema:
        return str(schema["$ref"].removeprefix(SCHEMAS))
    return str(schema["properties"]["items"]["items"]["$ref"].removeprefix(SCHEMAS)) + "Page"


HEADERS: Mapping[str, Schema] = {
    "ETag": {
        "description": "The object's version, for `If-Match`.",
        "schema": {"type": "string"},
        "example": '"42"',
    },
    "Location": {"description": "Path of the new object.", "schema": {"type": "string"}},
    "Treadle-Revision": {
        "description": "The revision as which the change was committed; where nothing changed, "
        "the one before.",
        "schema": {"type": "integer"},
        "example": 42,
    },
}


def patch_schema(spec: Schema) -> Schema:
    """The schema of merge patches of a spec: nothing is required, and null resets a field."""
    patch = deepcopy(spec)
    patch.pop("required", None)
    patch["description"] = "A merge patch (RFC 7396): what it leaves out stays as it is."
    for name, field in patch["properties"].items():
        field.pop("default", None)
        told = {key: field.pop(key) for key in ("title", "description") if key in field}
        patch["properties"][name] = {**told, "anyOf": [field, {"type": "null"}]}
    return patch


def content_schema_name(kind: Kind, field: str) -> str:
    """The schema of a body whose `field` follows from the path."""
    return f"{kind.service.spec.__name__}In{''.join(word.title() for word in field.split('_'))}"


def describe(app: FastAPI) -> None:
    """Let `app` describe itself with all schemas."""

    def openapi() -> Schema:
        if app.openapi_schema is None:
            described = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
                tags=app.openapi_tags,
            )
            components = described.setdefault("components", {})
            components.setdefault("schemas", {}).update(_schemas())
            components["examples"] = {**problems.examples(), **_shared_examples(app, described)}
            _drop_default_validation_error(described)
            if not app.state.backend.authentication:
                _allow_without_token(described)
            app.openapi_schema = described
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _shared_examples(app: FastAPI, described: Schema) -> dict[str, Any]:
    """Return the examples of all answers by name, and leave only references to them.

    They are taken from the routes: FastAPI drops nulls from what it describes.
    """
    shared: dict[str, Any] = {}
    for route in app.routes:
        if not isinstance(route, APIRoute) or not route.include_in_schema:
            continue
        for status, response in route.responses.items():
            named = response.get("content", {}).get(JSON, {}).get("examples", {})
            own = {name: example for name, example in named.items() if "value" in example}
            shared |= own
            for method in route.methods or ():
                answers = described["paths"][route.path_format][method.lower()]["responses"]
                for name in own:
                    answers[str(status)]["content"][JSON]["examples"][name] = {
                        "$ref": EXAMPLES + name
                    }
    return shared


def _schemas() -> Schema:
    taken: list[type[BaseModel]] = [kind.service.spec for kind in KINDS.values()]
    served = [kind.view for kind in KINDS.values()]
    models: list[tuple[type[BaseModel], JsonSchemaMode]] = [
        *((model, "validation") for model in (*taken, *_TAKEN)),
        *((model, "serialization") for model in (*served, *_SERVED)),
    ]
    _, definitions = models_json_schema(models, ref_template=SCHEMAS + "{model}")
    schemas: Schema = definitions["$defs"]
    for spec in taken:
        schemas[spec.__name__ + PATCH_SUFFIX] = patch_schema(schemas[spec.__name__])
    for content in CONTENTS:
        schema = deepcopy(schemas[content.kind.service.spec.__name__])
        schema["required"] = [name for name in schema["required"] if name != content.field]
        schemas[content_schema_name(content.kind, content.field)] = schema
    for name, schema in schemas.items():
        # Generators of clients name classes by titles, and leave out what is there twice.
        schema["title"] = name
    return schemas


def _drop_default_validation_error(described: Schema) -> None:
    """FastAPI assumes its own form of validation errors; here they are problems."""
    for name in ("HTTPValidationError", "ValidationError"):
        described["components"]["schemas"].pop(name, None)


def _allow_without_token(described: Schema) -> None:
    """A server that only its own host reaches asks for none."""
    for methods in described["paths"].values():
        for operation in methods.values():
            if "security" in operation:
                operation["security"].append({})


def patch_body(kind: Kind) -> Schema:
    schema = reference(kind.service.spec.__name__ + PATCH_SUFFIX)
    return body(schema, dict(kind.patch), (MERGE_PATCH, JSON))
