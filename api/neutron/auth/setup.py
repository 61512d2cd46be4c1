"""Puts together how a server finds out who asks its Neutron API."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from starlette.routing import Route

from api.backend import Backend
from api.neutron.auth.authenticators import ApiTokens, BasicLogin, IdentityTokens, trust_local
from api.neutron.auth.directory import DirectoryFile
from api.neutron.auth.identity import Identity
from api.neutron.auth.keystone import identity_routes
from api.neutron.auth.middleware import KeystoneMiddleware
from api.neutron.auth.slowing import Slowing
from api.neutron.auth.tokens import Tokens
from api.neutron.auth.verifying import Passwords
from api.neutron.context import Authenticator

Method = Literal["none", "token", "basic", "identity", "keystone"]

TOKEN_LIFETIME: Final = 3600.0
"""Seconds."""


@dataclass(frozen=True)
class Authentication:
    """What finds out who asks, and the routes that it needs beside those of the API."""

    authenticate: Authenticator
    routes: tuple[Route, ...] = ()


def make_authentication(
    method: Method,
    backend: Backend,
    users: DirectoryFile | None = None,
    *,
    keystone_file: Path | None = None,
    token_lifetime: float = TOKEN_LIFETIME,
    public_url: str | None = None,
) -> Authentication:
    """Return how callers of a server say who they are.

    `users` are needed for ``basic`` and ``identity``, `keystone_file` for ``keystone``. Raises
    ValueError where they are missing, MiddlewareError where Keystone's middleware is.
    """
    slowing = Slowing(backend.attempts)
    if method == "none":
        return Authentication(trust_local)
    if method == "token":
        return Authentication(ApiTokens(backend, slowing))
    if method == "keystone":
        if keystone_file is None:
            raise ValueError("authentication 'keystone' needs its file")
        return Authentication(KeystoneMiddleware(keystone_file, slowing))
    if users is None:
        raise ValueError(f"authentication {method!r} needs users")
    identity = Identity(users, token_lifetime, Passwords(), Tokens())
    if method == "basic":
        return Authentication(BasicLogin(identity, slowing))
    routes = identity_routes(identity, slowing, public_url)
    return Authentication(IdentityTokens(identity, slowing), tuple(routes))
