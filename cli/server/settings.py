"""The settings of ``treadle server``: the table ``[server]``."""

import ipaddress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from cli.configuration import Group, SectionSettings

if TYPE_CHECKING:
    from api.limits import Limits
    from api.neutron.settings import NeutronLimits
    from cli.server.http import Patience
    from northbound.limits import WriteLimits

LOOPBACK_NAMES = ("localhost", "ip6-localhost")


def is_loopback(address: str) -> bool:
    """Whether only this host can reach a listener bound to `address`.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    if address in LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


class Listener(Group):
    """Where a service listens, and its certificate if it speaks TLS."""

    host: str = "127.0.0.1"
    port: int = Field(ge=0, le=65535)
    connection_limit: int = Field(default=1024, gt=0)
    """How many connections it has at most."""
    peer_connection_limit: int = Field(default=256, gt=0)
    """How many of them from one IPv4 address, or from one IPv6 network of 64 bits."""
    certificate: Path | None = None
    private_key: Path | None = None

    @property
    def loopback(self) -> bool:
        return is_loopback(self.host)

    def url(self, scheme: str) -> str:
        """Where the listener is reached; `scheme` is what it is called without TLS."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}{'s' if self.certificate else ''}://{host}:{self.port}"

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.certificate is None) != (self.private_key is None):
            raise ValueError("certificate and private_key go together")
        return self


class GuardedListener(Listener):
    """A listener that asks for tokens, unless only this host can reach it."""

    authentication: bool | None = None
    """Whether tokens are asked for; if not said, unless the host is a loopback address."""
    plain_text: bool = False
    """Whether others may be served without TLS, which shows their tokens to the network."""

    @property
    def asks_for_tokens(self) -> bool:
        return not self.loopback if self.authentication is None else self.authentication

    @model_validator(mode="after")
    def _guarded(self) -> Self:
        if self.authentication is False and not self.loopback:
            raise ValueError(f"authentication can only be off on a loopback host, not {self.host}")
        if self.certificate is None and not self.loopback and not self.plain_text:
            raise ValueError(
                f"on {self.host} tokens would be sent in plain text: give certificate and "
                "private_key, or set plain_text where that is safe"
            )
        return self


class ApiListener(GuardedListener):
    """The REST API, for people and programs."""

    port: int = Field(default=6680, ge=0, le=65535)
    body_limit: int = Field(default=16 * 1024 * 1024, gt=0)
    """Bytes."""
    value_limit: int = Field(default=1_000_000, gt=0)
    """How many values a body may hold, those that aliases stand for included."""

    header_timeout: float = Field(default=10.0, gt=0)
    """Seconds that a connection may take for the header of a request, and for a TLS handshake."""
    body_timeout: float = Field(default=60.0, gt=0)
    """Seconds for the rest of a request, and for an answer of which nothing is read."""

    @property
    def patience(self) -> "Patience":
        """How long connections wait for their peers."""
        from cli.server.http import Patience

        return Patience(self.header_timeout, self.body_timeout, self.body_timeout)

    operation_limit: int = Field(default=10_000, gt=0, le=10_000)
    """How many operations a batch may have."""
    member_limit: int = Field(default=50_000, gt=0)
    """How many members a port group or address set may have."""
    write_timeout: float = Field(default=60.0, gt=0)
    """Seconds that one change may take, and wait for others."""

    @property
    def limits(self) -> "Limits":
        """What the API is bounded by."""
        from api.limits import Limits

        return Limits(self.body_limit, self.value_limit, self.operation_limit)

    @property
    def write_limits(self) -> "WriteLimits":
        """What a transaction is bounded by."""
        from northbound.limits import WriteLimits

        return WriteLimits(self.member_limit, self.write_timeout)


class NeutronListener(Listener):
    """The Neutron API, for OpenStack's clients. It has the bounds of the REST API."""

    port: int = Field(default=9696, ge=0, le=65535)
    enabled: bool = False
    authentication: Literal["none", "token", "basic", "identity", "keystone"] = "none"
    """How callers say who they are. `none`, for loopback, takes every caller for an admin."""
    identity_file: Path | None = None
    """The users, for `basic` and `identity`."""
    keystone_file: Path | None = None
    """For `keystone`: a file with a section `[keystone_authtoken]`."""
    token_lifetime: float = Field(default=3600.0, ge=60, le=30 * 86_400)
    """Seconds that a token of `identity` is good for."""
    public_url: str | None = Field(default=None, pattern=r"^https?://[^\s/]+(/[^\s]*)?$")
    """What clients are told to reach the API by; if not said, by what a request came."""
    plain_text: bool = False
    """Whether others may be served without TLS, which shows passwords and tokens."""
    mtu: int = Field(default=1442, ge=68, le=65535)
    """The MTU of networks that say none: what Geneve leaves of an underlay's 1500 bytes."""
    hidden_extensions: tuple[str, ...] = ()
    """Aliases of extensions that clients aren't told of."""
    quotas: dict[str, Annotated[int, Field(ge=-1)]] = Field(default_factory=dict)
    """How many objects of a resource a project may have; -1, and by default, without limit."""

    @property
    def limits(self) -> "NeutronLimits":
        """What the API needs of this."""
        from api.neutron.settings import NeutronLimits

        return NeutronLimits(self.mtu, frozenset(self.hidden_extensions), self.quotas)

    @model_validator(mode="after")
    def _guarded(self) -> Self:
        self._check_quotas()
        if self.authentication == "none" and not self.loopback:
            raise ValueError(f"authentication can only be none on a loopback host, not {self.host}")
        if self.certificate is None and not self.loopback and not self.plain_text:
            raise ValueError(
                f"on {self.host} passwords and tokens would be sent in plain text: give "
                "certificate and private_key, or set plain_text where that is safe"
            )
        if self.needs_users and self.identity_file is None:
            raise ValueError(f"authentication {self.authentication!r} needs identity_file")
        if self.authentication == "keystone" and self.keystone_file is None:
            raise ValueError("authentication 'keystone' needs keystone_file")
        return self

    def _check_quotas(self) -> None:
        if not self.quotas:
            return
        from api.neutron.settings import QUOTAS

        unknown = sorted(set(self.quotas) - set(QUOTAS))
        if unknown:
            raise ValueError(f"there is no quota {unknown[0]!r}; there are {', '.join(QUOTAS)}")

    @property
    def needs_users(self) -> bool:
        """Whether there is a file of users."""
        return self.authentication in ("basic", "identity")


class AgentListener(GuardedListener):
    """The list-and-watch service, for chassis agents."""

    port: int = Field(default=6650, ge=0, le=65535)
    connection_limit: int = Field(default=4096, gt=0)
    peer_connection_limit: int = Field(default=1024, gt=0)
    lease: float = Field(default=30.0, gt=0)
    """Seconds after which a chassis that is silent is taken for dead."""
    claim_limit: int = Field(default=16_384, gt=0)
    """How many ports one chassis may have."""
    scope_limit: int = Field(default=32_768, gt=0)
    """How many datapaths, ports and sets one chassis may watch."""
    client_ca: Path | None = None
    """PEM file of the authorities whose certificates agents may show, in place of a token."""
    client_crl: Path | None = None
    """PEM file of the certificates that these authorities have revoked."""
    client_certificates: Literal["optional", "required"] = "optional"
    origins: tuple[str, ...] = ()
    """Origins of web pages that may connect, such as `https://host:port`."""
    takeover: bool = True
    """Whether a port that a live chassis has goes to another one that plugs it in later."""
    learned_age: float = Field(default=300.0, ge=0)
    """Seconds after which addresses that agents have learned are forgotten, if they aren't in use
    or don't answer; 0 for never."""

    @property
    def asks_for_credentials(self) -> bool:
        return self.asks_for_tokens or self.client_certificates == "required"

    @model_validator(mode="after")
    def _client_certificates(self) -> Self:
        if self.client_ca is None and (
            self.client_crl is not None or self.client_certificates == "required"
        ):
            raise ValueError("client_crl and client_certificates need client_ca")
        if self.client_ca is not None and self.certificate is None:
            raise ValueError("client_ca needs TLS: give certificate and private_key, too")
        return self


class Database(Group):
    """Where intent and realised state are kept."""

    url: str | None = None
    """SQLAlchemy's URL; without it, SQLite in the state directory."""
    password: SecretStr | None = None
    """Put into the URL."""


class History(Group):
    """How much of the revision log is kept; what objects are as they are now stays."""

    revisions: int | None = Field(default=1_000_000, ge=1000)
    """The newest revisions that keep what they changed; 0 for all of them."""
    days: float | None = Field(default=None, gt=0)
    """How old a revision may get that keeps what it changed; for ever if not said."""

    @field_validator("revisions", mode="before")
    @classmethod
    def _all(cls, value: object) -> object:
        return None if value in (0, "0") else value


class Logging(Group):
    """What is logged, to standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"


class ServerSettings(SectionSettings):
    """Everything that can be set about the server."""

    section: ClassVar[str] = "server"

    state_directory: Path = Path("/var/lib/treadle")
    database: Database = Database()
    api: ApiListener = ApiListener()
    agents: AgentListener = AgentListener()
    neutron: NeutronListener = NeutronListener()
    history: History = History()
    log: Logging = Logging()

    @property
    def database_url(self) -> str:
        """The URL of the database, with the password in it; raises DatabaseUrlError."""
        if self.database.url is None:
            return f"sqlite:///{self.state_directory.absolute() / 'treadle.db'}"
        if self.database.password is None:
            return self.database.url
        from northbound.database import parse_url

        url = parse_url(self.database.url)
        url = url.set(password=self.database.password.get_secret_value())
        return url.render_as_string(hide_password=False)

    @property
    def database_is_embedded(self) -> bool:
        """Whether the server keeps the schema up to date by itself: SQLite has no other user."""
        return self.database_url.startswith("sqlite")
