"""What a token of one project reaches, and what it doesn't."""

from northbound import tokens
from northbound.database import Database
from tests.unit.api.conftest import Server

OPEN: frozenset[tuple[str, str]] = frozenset()
"""The operations that tokens of one project may ask for."""


def header(database: Database, project: str | None, role: str = "operator") -> dict[str, str]:
    """Make a token of a project, or of all; return the header that carries it."""
    with database.maintain() as session:
        name = f"{role}-of-{project}"
        _, secret = tokens.create(session, name=name, role=role, project=project)
    return {"Authorization": f"Bearer {secret}"}


async def test_a_token_of_one_project_gets_to_nothing_but_what_is_made_for_it(
    guarded: Server, database: Database
) -> None:
    headers = header(database, "acme")
    described = (await guarded.client.get("/openapi.json")).json()
    for path, operations in described["paths"].items():
        if not path.startswith("/v1/"):
            continue
        concrete = path.replace("{revision}", "1").replace("{ref}", "x").replace("{member}", "y")
        for method in operations:
            response = await guarded.client.request(method.upper(), concrete, headers=headers)
            refused = response.status_code == 403
            assert refused == ((method, path) not in OPEN), (method, path)
            if refused:
                assert response.json()["type"] == "/problems/forbidden"
