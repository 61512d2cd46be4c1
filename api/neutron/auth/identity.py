"""The identity service: who someone is, and in which project, as Keystone's v3 API says it.

:class:`Identity` takes the ``auth`` object of a request apart, checks what it shows, and makes
grants; it knows nothing of HTTP. Methods are ``password``, ``token`` and
``application_credential``; scopes are one project, or none yet.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from api.neutron.auth.directory import (
    DOMAIN_ID,
    DOMAIN_NAME,
    ApplicationCredential,
    Directory,
    DirectoryFile,
    Project,
    User,
)
from api.neutron.auth.tokens import Grant, Tokens, new_audit_id, secret_digest
from api.neutron.auth.verifying import Passwords

METHODS: Final = ("password", "token", "application_credential")
SCOPES: Final = ("project", "domain", "system", "OS-TRUST:trust")


class IdentityError(Exception):
    """A refusal with its HTTP status, and what Keystone would say."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class WrongCredentialsError(IdentityError):
    """What was shown doesn't prove who someone is. It doesn't say what was wrong with it."""

    def __init__(self, message: str = "The request you have made requires authentication.") -> None:
        super().__init__(401, message)


@dataclass(frozen=True)
class Bearer:
    """What a token is good for at this moment."""

    grant: Grant
    user: User
    project: Project | None
    roles: frozenset[str]
    credential: ApplicationCredential | None = None


@dataclass(frozen=True)
class _Proven:
    """Who someone has proven to be, by which methods, and what that binds its token to."""

    user: User
    methods: tuple[str, ...]
    secret: str
    credential: ApplicationCredential | None = None
    expires_at: float | None = None
    project: str | None = None
    """The project of the token that was shown."""


class Identity:
    """Issues tokens to the users of a file. `lifetime` is theirs, in seconds."""

    def __init__(
        self, file: DirectoryFile, lifetime: float, passwords: Passwords, tokens: Tokens
    ) -> None:
        self._file = file
        self._lifetime = lifetime
        self._passwords = passwords
        self._tokens = tokens

    @property
    def directory(self) -> Directory:
        """Who there is now."""
        return self._file.current

    async def authenticate(self, body: Mapping[str, Any]) -> tuple[str, Bearer]:
        """Return a new token for what the body of a request shows, or raise IdentityError."""
        auth = _object(body, "auth")
        proven = await self._prove(_object(auth, "identity"))
        project = self._scope(auth.get("scope"), proven)
        now = time.time()
        grant = Grant(
            user=proven.user.id,
            project=None if project is None else project.id,
            methods=proven.methods,
            issued_at=now,
            expires_at=proven.expires_at or now + self._lifetime,
            audit_id=new_audit_id(),
            secret=proven.secret,
            credential=None if proven.credential is None else proven.credential.id,
        )
        bearer = self._bearer(grant)
        if bearer is None:
            raise WrongCredentialsError
        return self._tokens.issue(grant), bearer

    async def log_in(self, name: str, password: str) -> Bearer | None:
        """Return what a user may do who shows its password with each request."""
        user = self.directory.user(name=name)
        known = None if user is None else user.password_hash
        if not await self._passwords.check(password, known) or user is None or known is None:
            return None
        project = self.directory.home(user)
        now = time.time()
        grant = Grant(
            user=user.id,
            project=None if project is None else project.id,
            methods=("password",),
            issued_at=now,
            expires_at=now + self._lifetime,
            audit_id="",
            secret=secret_digest(known),
        )
        return self._bearer(grant)

    def read(self, token: str) -> Bearer | None:
        """Return what a token is good for; None where it isn't."""
        grant = self._tokens.read(token, time.time())
        return None if grant is None else self._bearer(grant)

    def revoke(self, bearer: Bearer) -> None:
        """End a token."""
        self._tokens.revoke(bearer.grant, time.time())

    def _bearer(self, grant: Grant) -> Bearer | None:
        """Return what a grant is good for with the directory as it is now."""
        directory = self.directory
        user, credential = directory.user(id=grant.user), None
        secret = None if user is None else user.password_hash
        if grant.credential is not None:
            owner, credential = directory.credential(grant.credential) or (None, None)
            if owner is None or credential is None or user is None or owner.id != user.id:
                return None
            secret = credential.secret_hash
        if user is None or secret is None or secret_digest(secret) != grant.secret:
            return None
        if grant.project is None:
            return Bearer(grant, user, None, frozenset(), credential)
        roles = directory.roles(user, grant.project, credential)
        if not roles:
            return None
        return Bearer(grant, user, directory.project(id=grant.project), roles, credential)

    async def _prove(self, identity: Mapping[str, Any]) -> _Proven:
        methods = identity.get("methods")
        if not isinstance(methods, list) or not methods or len(methods) > len(METHODS):
            raise IdentityError(400, "Expecting to find methods in identity: a list of their names")
        proven = []
        for method in dict.fromkeys(map(str, methods)):
            shown = _object(identity, method) if method in METHODS else {}
            if method == "password":
                proven.append(await self._by_password(_object(shown, "user")))
            elif method == "token":
                proven.append(self._by_token(shown))
            elif method == "application_credential":
                proven.append(await self._by_credential(shown))
            else:
                raise WrongCredentialsError("Attempted to authenticate with an unsupported method.")
        first = proven[0]
        if len(proven) == 1:
            return first
        if any(each.user.id != first.user.id or each.credential for each in proven):
            raise WrongCredentialsError
        ends = [each.expires_at for each in proven if each.expires_at is not None]
        return _Proven(
            first.user,
            tuple(dict.fromkeys(name for each in proven for name in each.methods)),
            first.secret,
            expires_at=min(ends, default=None),
        )

    async def _by_password(self, shown: Mapping[str, Any]) -> _Proven:
        user = self._user(shown)
        password = shown.get("password")
        if not isinstance(password, str):
            raise IdentityError(400, "Expecting to find password in user")
        known = None if user is None else user.password_hash
        if not await self._passwords.check(password, known) or user is None or known is None:
            raise WrongCredentialsError
        return _Proven(user, ("password",), secret_digest(known))

    def _by_token(self, shown: Mapping[str, Any]) -> _Proven:
        bearer = self.read(_text(shown, "id"))
        if bearer is None:
            raise WrongCredentialsError
        if bearer.credential is not None:
            raise WrongCredentialsError("A token of an application credential can't be exchanged.")
        grant = bearer.grant
        methods = tuple(dict.fromkeys((*grant.methods, "token")))
        return _Proven(
            bearer.user,
            methods,
            grant.secret,
            expires_at=grant.expires_at,
            project=grant.project,
        )

    async def _by_credential(self, shown: Mapping[str, Any]) -> _Proven:
        secret = _text(shown, "secret")
        if "id" in shown:
            found = self.directory.credential(_text(shown, "id"))
        else:
            owner = self._user(_object(shown, "user"))
            name = _text(shown, "name")
            found = None if owner is None else self.directory.credential_of(owner, name)
        known = None if found is None else found[1].secret_hash
        if not await self._passwords.check(secret, known) or found is None:
            raise WrongCredentialsError
        user, credential = found
        digest = secret_digest(credential.secret_hash)
        return _Proven(user, ("application_credential",), digest, credential)

    def _user(self, shown: Mapping[str, Any]) -> User | None:
        """Return the user that a request names, by id or by name and domain."""
        if "id" in shown:
            return self.directory.user(id=_text(shown, "id"))
        name = _text(shown, "name")
        return self.directory.user(name=name) if _is_our_domain(shown) else None

    def _scope(self, scope: Any, proven: _Proven) -> Project | None:
        """Return the project that a token is to be for; None for one of no project yet."""
        credential = proven.credential
        if credential is not None:
            if scope is not None:
                raise WrongCredentialsError("Application credentials cannot request a scope.")
            return self.directory.project(name=credential.project or proven.user.project)
        if scope is None:
            if proven.project is not None:
                return self.directory.project(id=proven.project)
            home = self.directory.home(proven.user)
            return home if home is not None and proven.user.roles.get(home.name) else None
        if scope == "unscoped" or (isinstance(scope, dict) and "unscoped" in scope):
            return None
        if not isinstance(scope, dict) or len(scope) != 1 or next(iter(scope)) not in SCOPES:
            raise IdentityError(400, "Expecting to find one of project, domain, system in scope")
        if "project" not in scope:
            raise WrongCredentialsError("There are no tokens but for projects.")
        shown = _object(scope, "project")
        if "id" in shown:
            project = self.directory.project(id=_text(shown, "id"))
        else:
            name = _text(shown, "name")
            project = self.directory.project(name=name) if _is_our_domain(shown) else None
        if project is None:
            raise WrongCredentialsError
        return project


def _is_our_domain(shown: Mapping[str, Any]) -> bool:
    domain = _object(shown, "domain")
    if "id" in domain:
        return bool(domain["id"] == DOMAIN_ID)
    return bool(domain.get("name") == DOMAIN_NAME)


def _object(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = values.get(name)
    if not isinstance(found, dict):
        raise IdentityError(400, f"Expecting to find {name}, which has to be an object")
    return found


def _text(values: Mapping[str, Any], name: str) -> str:
    found = values.get(name)
    if not isinstance(found, str):
        raise IdentityError(400, f"Expecting to find {name}, which has to be a text")
    return found
