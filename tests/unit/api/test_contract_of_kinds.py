"""What every kind of object owes its users, checked for all kinds that there are.

The objects are the examples of the declarations, made in the order of kinds. A kind that
lacks something (a column, a filter, a path, a place in documents, a sentence) fails here.
"""

from typing import Any

import pytest

from api.kinds import KINDS, Kind
from tests.unit.api.conftest import Server

every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


async def make_examples(server: Server) -> dict[str, dict[str, Any]]:
    """One object of each kind, by kind, as the API answers."""
    made = {}
    for kind in KINDS.values():
        answer = await server.client.post(f"/v1/{kind.path}", json=dict(kind.example))
        assert answer.status_code == 201, (kind.name, answer.text)
        made[kind.name] = answer.json()
    return made


@every_kind
async def test_what_was_said_is_kept(server: Server, kind: Kind) -> None:
    made = (await make_examples(server))[kind.name]
    for field, value in kind.example.items():
        assert made[field] == value
    assert made.keys() == kind.view_example.keys()
    path = f"/v1/{kind.path}/{made['id']}"
    answer = await server.client.patch(
        path, json=dict(kind.patch), headers={"Content-Type": "application/merge-patch+json"}
    )
    assert answer.status_code == 200, answer.text
    for field, value in kind.patch.items():
        assert answer.json()[field] == value
