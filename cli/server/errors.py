"""Why a server does not start, or cannot go on.

::

    ServerError
    ├── AddressInUseError     another program listens there, or the address is not ours
    ├── NoTokensError         it would serve others, but nobody has a token
    ├── AlreadyRunningError   another server works on the same database
    ├── DatabaseLostError     the database may be another server's by now
    ├── CertificateError      a certificate or its key cannot be used
    ├── IdentityFileError     the file of users cannot be used
    ├── KeystoneError         what checks tokens of a Keystone cannot be used
    └── ServiceFailedError    a part of the server ended by itself
"""


class ServerError(Exception):
    """Base of these errors; the message is for the operator."""


class AddressInUseError(ServerError):
    """A listener cannot have its address."""


class NoTokensError(ServerError):
    """The API would be open to others, and there is no token to ask them for."""


class AlreadyRunningError(ServerError):
    """A database has one server."""


class DatabaseLostError(ServerError):
    """What held the database for this server is gone: another one may have started."""


class CertificateError(ServerError):
    """TLS cannot be set up."""


class IdentityFileError(ServerError):
    """The users of the Neutron API cannot be known."""


class KeystoneError(ServerError):
    """Tokens of a Keystone cannot be checked."""


class ServiceFailedError(ServerError):
    """A part of the server ended that should run as long as the server does."""
