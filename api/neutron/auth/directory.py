"""Who there is: users, what each may do in which project, and services, from a TOML file.

::

    region = "RegionOne"

    [projects.acme]                 # optional, for a description or an id of its own
    description = "Acme Corporation"

    [users.alice]
    password_hash = "scrypt$14$8$1$…"   # made by `treadle hash-password`
    roles = { acme = ["member"], zoo = ["reader"] }
    project = "acme"                # where a user is who doesn't say; needed for several

    [users.alice.application_credentials.ci]
    secret_hash = "scrypt$14$8$1$…"
    project = "acme"                # by default that of the user
    roles = ["reader"]              # by default all that the user has there

    [[services]]                    # others that clients find in the catalog
    type = "load-balancer"
    url = "http://192.0.2.1:9876"

A project is a project of Treadle's: its id is the name of that, and by default its own name. All
are in one domain, ``default``. What is here is read as a whole: a file with a mistake anywhere
is refused, and what was read before stays.
"""

import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from api.neutron.auth.passwords import checked_hash
from api.neutron.context import ADMIN, MEMBER, READER
from northbound.specs.base import OBJECT_NAME

DOMAIN_ID: Final = "default"
DOMAIN_NAME: Final = "Default"

LARGEST_FILE: Final = 16 * 1024 * 1024
"""Bytes."""

Identifier = Annotated[str, StringConstraints(pattern=OBJECT_NAME, max_length=255)]
PasswordHash = Annotated[str, AfterValidator(checked_hash)]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s]+$", max_length=2048)]

_IMPLIED: Final[Mapping[str, tuple[str, ...]]] = {ADMIN: (MEMBER, READER), MEMBER: (READER,)}


class DirectoryError(Exception):
    """The file can't be read, or what is in it can't be; the message says where and why."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Project(_Table):
    """A project. Its `name` is the key in the file, its `id` the name of one of Treadle's."""

    id: Identifier = ""
    name: Identifier = ""
    description: str = ""


class ApplicationCredential(_Table):
    """A secret by which a program is a user in one project, with some of the user's roles."""

    id: Identifier = ""
    name: Identifier = ""
    secret_hash: PasswordHash
    project: Identifier | None = None
    roles: tuple[Identifier, ...] | None = None
    expires_at: datetime | None = None


class User(_Table):
    """A user. `roles` has the roles by project; `project` is where a user is who doesn't say."""

    id: Identifier = ""
    name: Identifier = ""
    password_hash: PasswordHash | None = None
    roles: dict[Identifier, tuple[Identifier, ...]] = Field(default_factory=dict)
    project: Identifier | None = None
    application_credentials: dict[Identifier, ApplicationCredential] = Field(default_factory=dict)


class Service(_Table):
    """A service besides this one, for the catalog."""

    type: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$", max_length=255)]
    name: str = ""
    url: Url


class _File(_Table):
    region: Identifier = "RegionOne"
    projects: dict[Identifier, Project] = Field(default_factory=dict)
    users: dict[Identifier, User] = Field(default_factory=dict)
    services: tuple[Service, ...] = ()

    @model_validator(mode="after")
    def _each_service_once(self) -> Self:
        types = [service.type for service in self.services]
        for type_ in types:
            if types.count(type_) > 1 or type_ in ("identity", "network"):
                raise ValueError(f"services: there is one of type {type_!r} already")
        return self


class Directory:
    """What the file says, to be looked up. Nothing in it changes."""

    def __init__(self, file: _File) -> None:
        self.region = file.region
        self.services = file.services
        self.projects = _projects(file)
        self.users = {user.id: user for user in _users(file, self.projects)}
        self._projects_by_name = {each.name: each for each in self.projects.values()}
        self._users_by_name = {each.name: each for each in self.users.values()}
        if len(self.users) != len(file.users):
            raise DirectoryError("two users have the same id")
        self._credentials: dict[str, tuple[User, ApplicationCredential]] = {}
        for user in self.users.values():
            for credential in user.application_credentials.values():
                if credential.id in self._credentials:
                    raise DirectoryError(
                        f"two application credentials have the id {credential.id!r}"
                    )
                self._credentials[credential.id] = (user, credential)

    @classmethod
    def read(cls, path: Path) -> "Directory":
        """Return what a file says, or raise DirectoryError."""
        try:
            with path.open("rb") as stream:
                text = stream.read(LARGEST_FILE + 1)
        except OSError as error:
            raise DirectoryError(f"cannot read {path}: {error.strerror}") from error
        if len(text) > LARGEST_FILE:
            raise DirectoryError(f"{path} has more than {LARGEST_FILE} bytes")
        try:
            return cls.parse(text.decode())
        except (DirectoryError, UnicodeDecodeError) as error:
            raise DirectoryError(f"{path}: {error}") from error

    @classmethod
    def parse(cls, text: str) -> "Directory":
        """Return what the text of a file says, or raise DirectoryError."""
        try:
            return cls(_File.model_validate(tomllib.loads(text)))
        except ValidationError as error:
            # Not the values: there are hashes among them.
            first = error.errors(include_input=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            reason = first["msg"].removeprefix("Value error, ")
            raise DirectoryError(f"{place}: {reason}" if place else reason) from None
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise DirectoryError(f"no TOML: {error}") from None

    def project(self, *, id: str | None = None, name: str | None = None) -> Project | None:  # noqa: A002
        """Return the project with that id, or with that name."""
        return self.projects.get(id) if id is not None else self._projects_by_name.get(name or "")

    def user(self, *, id: str | None = None, name: str | None = None) -> User | None:  # noqa: A002
        """Return the user with that id, or with that name."""
        return self.users.get(id) if id is not None else self._users_by_name.get(name or "")

    def credential(self, id: str) -> tuple[User, ApplicationCredential] | None:  # noqa: A002
        """Return an application credential that is still good, and whose it is."""
        found = self._credentials.get(id)
        if found is None or _is_over(found[1]):
            return None
        return found

    def credential_of(self, user: User, name: str) -> tuple[User, ApplicationCredential] | None:
        """Return a user's application credential of that name that is still good."""
        credential = user.application_credentials.get(name)
        return None if credential is None else self.credential(credential.id)

    def roles(
        self, user: User, project_id: str, credential: ApplicationCredential | None = None
    ) -> frozenset[str]:
        """Return what a user may do in a project, with what that implies; nothing if not there.

        With an application credential it is what that may.
        """
        project = self.projects.get(project_id)
        if project is None:
            return frozenset()
        given = _with_implied(user.roles.get(project.name, ()))
        if credential is None:
            return given
        if (credential.project or user.project) != project.name:
            return frozenset()
        if credential.roles is None:
            return given
        return given & _with_implied(credential.roles)

    def home(self, user: User) -> Project | None:
        """Return the project where a user is who doesn't say another."""
        return None if user.project is None else self._projects_by_name[user.project]

    def projects_of(self, user: User) -> list[Project]:
        """Return the projects in which a user has a role, by name."""
        return [self._projects_by_name[name] for name in sorted(user.roles) if user.roles[name]]

    def role_names(self) -> list[str]:
        """Return all roles that there are."""
        said = {
            role for user in self.users.values() for each in user.roles.values() for role in each
        }
        return sorted({ADMIN, MEMBER, READER} | said)


class DirectoryFile:
    """The directory that is in force: what the file said when it was read last without fault."""

    def __init__(self, path: Path) -> None:
        """Read the file; raises DirectoryError."""
        self._path = path
        self.current = Directory.read(path)

    def reload(self) -> None:
        """Put into force what the file says now, or raise DirectoryError and keep the former."""
        self.current = Directory.read(self._path)

    def __str__(self) -> str:
        return str(self._path)


def _projects(file: _File) -> dict[str, Project]:
    """Return all projects by id: those of the file, and those that only roles speak of."""
    by_id: dict[str, Project] = {}
    spoken_of = {name for user in file.users.values() for name in user.roles}
    for name in sorted({*file.projects, *spoken_of}):
        said = file.projects.get(name, Project())
        project = said.model_copy(update={"id": said.id or name, "name": name})
        if project.id in by_id:
            raise DirectoryError(f"projects.{name}: another project has the id {project.id!r}")
        by_id[project.id] = project
    return by_id


def _users(file: _File, projects: Mapping[str, Project]) -> list[User]:
    names = {project.name for project in projects.values()}
    return [_user(name, said, names) for name, said in file.users.items()]


def _user(name: str, said: User, projects: set[str]) -> User:
    home = said.project
    if home is None and len(said.roles) == 1:
        home = next(iter(said.roles))
    for project in filter(
        None, (home, *(c.project for c in said.application_credentials.values()))
    ):
        if project not in projects:
            raise DirectoryError(f"users.{name}: there is no project {project!r}")
    credentials = {}
    for title, each in said.application_credentials.items():
        if each.project is None and home is None:
            place = f"users.{name}.application_credentials.{title}"
            raise DirectoryError(f"{place}: neither it nor the user says a project")
        credentials[title] = each.model_copy(
            update={"id": each.id or f"{name}.{title}", "name": title}
        )
    return said.model_copy(
        update={
            "id": said.id or name,
            "name": name,
            "project": home,
            "application_credentials": credentials,
        }
    )


def _with_implied(roles: tuple[str, ...]) -> frozenset[str]:
    return frozenset({*roles, *(other for role in roles for other in _IMPLIED.get(role, ()))})


def _is_over(credential: ApplicationCredential) -> bool:
    end = credential.expires_at
    if end is None:
        return False
    return (end if end.tzinfo else end.replace(tzinfo=UTC)) <= datetime.now(UTC)
