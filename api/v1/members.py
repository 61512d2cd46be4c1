"""Members of port groups and address sets, one by one or many at once.

Adding what is there and removing what is not there is no error: after the
operation things are as the caller wants them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Response

from api.auth import BackendOf, ProjectOperator, ScopeOf
from api.backend import Backend
from api.kinds import ADDRESS_SET, PORT_GROUP, Kind
from api.openapi import answer, body, reference
from api.requests import JsonObject, Options, WriteOptions
from api.v1.objects import REVISION_HEADER, WRITE_REFUSALS, Ref, write_one
from api.waiting import wait_for
from northbound.errors import FieldProblem, InvalidError
from northbound.projects import Scope
from northbound.services import ADDRESS_SETS, PORT_GROUPS
from northbound.transaction import Transaction

Change = Callable[[Transaction, str, Sequence[str]], Any]


@dataclass(frozen=True)
class Membership:
    """The members of one kind of group, under `path` of the group."""

    kind: Kind
    path: str
    member: str
    example: str
    add: Change
    remove: Change


MEMBERSHIPS = (
    Membership(
        PORT_GROUP, "ports", "port", "web-1", PORT_GROUPS.add_ports, PORT_GROUPS.remove_ports
    ),
    Membership(
        ADDRESS_SET,
        "addresses",
        "address",
        "203.0.113.7",
        ADDRESS_SETS.add_addresses,
        ADDRESS_SETS.remove_addresses,
    ),
)

_CHANGE_SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "add": {"type": "array", "items": {"type": "string"}, "default": []},
        "remove": {"type": "array", "items": {"type": "string"}, "default": []},
    },
}


_UNSHOWN = {"description": "Changed; `Prefer: return=minimal` asked for no more."}


async def _is_minimal(
    prefer: Annotated[
        str,
        Header(
            max_length=1000,
            description="With `return=minimal` (RFC 7240) the answer is 204 and doesn't show "
            "all members, of which there may be many.",
        ),
    ] = "",
) -> bool:
    """Whether the caller does without the group in the answer. Other preferences are ignored."""
    wishes = (wish.partition(";")[0] for wish in prefer.split(","))
    return any(wish.replace(" ", "").lower() in _MINIMAL for wish in wishes)


_MINIMAL = ("return=minimal", 'return="minimal"')

IsMinimal = Annotated[bool, Depends(_is_minimal)]


def add_membership(router: APIRouter, membership: Membership) -> None:
    """The operations on the members of a group."""
    kind = membership.kind
    collection = f"/{kind.path}/{{ref}}/{membership.path}"
    # An address may be a network, and a network has a slash.
    one = f"{collection}/{{member:path}}"
    tags: list[str | Enum] = [kind.plural]
    changed = answer(
        "Changed.",
        reference(kind.view_name),
        kind.view_example,
        ("ETag", REVISION_HEADER),
    )
    member_of_path = Annotated[
        str, Path(min_length=1, max_length=255, examples=[membership.example])
    ]

    @router.post(
        collection,
        operation_id=f"change_{kind.name}_{membership.path}",
        summary=f"Add and remove {membership.path} of the {kind.title}",
        description="Takes out what `remove` lists, then takes in what `add` lists.",
        tags=tags,
        responses={200: changed, 204: _UNSHOWN, **WRITE_REFUSALS},
        openapi_extra={"requestBody": body(_CHANGE_SCHEMA, {"add": [membership.example]})},
    )
    async def change(
        ref: Ref,
        backend: BackendOf,
        caller: ProjectOperator,
        scope: ScopeOf,
        values: JsonObject,
        options: Options,
        is_minimal: IsMinimal,
    ) -> Response:
        added, removed = _change_of(values)

        def work(tx: Transaction) -> Any:
            membership.remove(tx, ref, removed)
            return membership.add(tx, ref, added)

        if is_minimal:
            return await _write_unshown(backend, work, caller.name, scope, options)
        return await write_one(backend, kind, work, caller.name, scope, options)

    @router.put(
        one,
        operation_id=f"add_{kind.name}_{membership.member}",
        summary=f"Add one {membership.member} to the {kind.title}",
        tags=tags,
        responses={200: changed, 204: _UNSHOWN, **WRITE_REFUSALS},
    )
    async def add(
        ref: Ref,
        member: member_of_path,
        backend: BackendOf,
        caller: ProjectOperator,
        scope: ScopeOf,
        options: Options,
        is_minimal: IsMinimal,
    ) -> Response:
        def work(tx: Transaction) -> Any:
            return membership.add(tx, ref, [member])

        if is_minimal:
            return await _write_unshown(backend, work, caller.name, scope, options)
        return await write_one(backend, kind, work, caller.name, scope, options)

    @router.delete(
        one,
        operation_id=f"remove_{kind.name}_{membership.member}",
        summary=f"Remove one {membership.member} from the {kind.title}",
        tags=tags,
        status_code=204,
        responses={204: {"description": "Removed."}, **WRITE_REFUSALS},
    )
    async def remove(
        ref: Ref,
        member: member_of_path,
        backend: BackendOf,
        caller: ProjectOperator,
        scope: ScopeOf,
        options: Options,
    ) -> Response:
        def work(tx: Transaction) -> Any:
            return membership.remove(tx, ref, [member])

        return await _write_unshown(backend, work, caller.name, scope, options)


async def _write_unshown(
    backend: Backend,
    work: Callable[[Transaction], Any],
    author: str,
    scope: Scope,
    options: WriteOptions,
) -> Response:
    """Do `work` in a transaction of its own; the answer doesn't show what came of it."""
    written = await backend.write(work, author=author, comment=options.comment, scope=scope)
    await wait_for(backend, written.revision, options.wait, options.timeout, scope)
    return Response(status_code=204, headers={REVISION_HEADER: str(written.revision)})


def _change_of(values: dict[str, Any]) -> tuple[list[str], list[str]]:
    problems = [
        FieldProblem((name,), "there is no such field")
        for name in values
        if name not in ("add", "remove")
    ]
    for name in ("add", "remove"):
        members = values.get(name, [])
        if not isinstance(members, list) or not all(isinstance(member, str) for member in members):
            problems.append(FieldProblem((name,), "has to be a list of texts"))
    if problems:
        raise InvalidError(problems)
    return values.get("add", []), values.get("remove", [])
