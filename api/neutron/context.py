"""On whose behalf a request is made, and what it may see and do.

Roles are Keystone's: an ``admin`` sees and changes everything, a ``member`` what is of its
project and sees what is shared, a ``reader`` only reads that.
"""

from dataclasses import dataclass
from typing import Protocol

from starlette.requests import Request

from api.neutron.errors import NotAuthorizedError
from northbound.models import Resource
from northbound.names import DEFAULT_PROJECT
from northbound.projects import Scope

ADMIN, MEMBER, READER = "admin", "member", "reader"


@dataclass(frozen=True)
class Context:
    """The caller: `user` is the author of revisions, `project` owns what it makes."""

    user: str
    project: str = DEFAULT_PROJECT
    roles: frozenset[str] = frozenset({ADMIN})
    sees_everything: bool = False
    """Whether it sees what is of all projects, without being an admin."""

    @property
    def is_admin(self) -> bool:
        return ADMIN in self.roles

    @property
    def scope(self) -> Scope:
        """What the caller sees of intent."""
        return Scope(self.project, confined=not (self.is_admin or self.sees_everything))

    def require(self, rule: str, *, admin: bool = False) -> None:
        """Raise NotAuthorizedError unless the caller may change things, and is admin if asked.

        `rule` is what the refusal calls the operation: ``create_network:shared``.
        """
        if self.is_admin or (not admin and MEMBER in self.roles):
            return
        raise NotAuthorizedError(rule)

    def owns(self, project: str) -> bool:
        """Tell whether the caller may change what is of `project`."""
        return self.is_admin or project == self.project

    def sees(self, row: Resource) -> bool:
        """Tell whether an object exists for the caller."""
        return self.scope.sees(row)


class Authenticator(Protocol):
    """Finds out who asks."""

    async def __call__(self, request: Request) -> Context:
        """Return the caller, or raise UnauthenticatedError."""
        ...


LOCAL = Context("neutron")
"""The caller where no one is asked who it is: an admin of the default project."""
