"""The Neutron API of a server, as its settings say."""

import stat
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog

from cli.server.errors import IdentityFileError, KeystoneError
from cli.server.settings import NeutronListener

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from api.backend import Backend
    from api.neutron.auth.directory import DirectoryFile

# What is only for servers with this API is imported where that is made.

log = structlog.get_logger(__name__)


def read_users(listener: NeutronListener) -> "DirectoryFile | None":
    """Return the users who may log in, where there are some; raises IdentityFileError."""
    if not listener.enabled or not listener.needs_users or listener.identity_file is None:
        return None
    from api.neutron.auth.directory import DirectoryError, DirectoryFile

    try:
        users = DirectoryFile(listener.identity_file)
    except DirectoryError as error:
        raise IdentityFileError(str(error)) from error
    if listener.identity_file.stat().st_mode & stat.S_IROTH:
        log.warning("every user of this host may read the hashes of passwords", file=str(users))
    return users


def reloading_users(users: "DirectoryFile | None") -> Callable[[], None]:
    """Return what reads the file of users again, and keeps the former if that fails."""

    def reload() -> None:
        if users is None:
            return
        from api.neutron.auth.directory import DirectoryError

        try:
            users.reload()
        except DirectoryError as error:
            log.error("users not reloaded, the former stay in force", reason=str(error))
        else:
            log.info("users reloaded", file=str(users))

    return reload


def neutron_app(
    backend: "Backend", listener: NeutronListener, users: "DirectoryFile | None"
) -> "Starlette":
    """Return the application; raises KeystoneError where Keystone's middleware can't be used."""
    from api.neutron.app import create_neutron_app
    from api.neutron.auth.middleware import MiddlewareError
    from api.neutron.auth.setup import make_authentication

    try:
        authentication = make_authentication(
            listener.authentication,
            backend,
            users,
            keystone_file=listener.keystone_file,
            token_lifetime=listener.token_lifetime,
            public_url=listener.public_url,
        )
    except MiddlewareError as error:
        raise KeystoneError(str(error)) from error
    return create_neutron_app(
        backend, authentication.authenticate, listener.limits, authentication.routes
    )
