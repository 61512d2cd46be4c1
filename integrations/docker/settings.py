"""Settings of ``treadle-docker``: the table ``[docker]``."""

import ipaddress
from dataclasses import dataclass

from integrations.settings import secret, setting

LOG_LEVELS = ("debug", "info", "warning", "error")
SCOPES = ("local", "global")
GENEVE_MTU = 1442
"""What fits into a tunnel over an underlay of 1500: IPv4, UDP, and Geneve with its option."""


@dataclass(frozen=True)
class DockerSettings:
    """Everything that ties the driver to its host."""

    url: str = setting("http://127.0.0.1:6680", "http:// or https:// address of Treadle's API")
    token: str | None = secret("the bearer token; token_file keeps it out of sight")
    token_file: str | None = setting(None, "a file with the bearer token")
    tls_ca: str | None = setting(None, "certificates that the server is checked against")
    plain_text: bool = setting(False, "whether a token may go to another host over http://")
    project: str = setting("default", "the project of networks that don't say one")
    socket: str = setting("/run/docker/plugins/treadle.sock", "where Docker calls the driver")
    docker: str = setting("/run/docker.sock", "Docker's own API, to ask what it has")
    host: str | None = setting(None, "this host's name in Treadle; Open vSwitch's system-id")
    bridge: str | None = setting(None, "the integration bridge; the one that the agent takes")
    mtu: int = setting(GENEVE_MTU, "of containers' interfaces, where the network doesn't say")
    scope: str = setting("local", "local, or global for networks of a swarm")
    pools: str = setting("10.192.0.0/10", "what subnets are cut from where users don't say")
    timeout: float = setting(25.0, "seconds that one call of Docker may take")
    requests: int = setting(32, "how many calls are in work at once")
    interval: float = setting(300.0, "seconds between looks for what Docker has no more")
    log_level: str = setting("info", "debug, info, warning or error")

    def __post_init__(self) -> None:
        if self.token is not None and self.token_file is not None:
            raise ValueError("token: give token or token_file, not both")
        for name, values in (("scope", SCOPES), ("log_level", LOG_LEVELS)):
            if getattr(self, name) not in values:
                raise ValueError(f"{name}: has to be one of {', '.join(values)}")
        for name, least, most in (
            ("mtu", 576, 65535),
            ("timeout", 1, 600),
            ("requests", 1, 1000),
            ("interval", 0.1, 86400),
        ):
            if not least <= getattr(self, name) <= most:
                raise ValueError(f"{name}: has to be from {least} to {most}")
        try:
            pools = ipaddress.IPv4Network(self.pools)
        except ValueError as error:
            raise ValueError(f"pools: {error}") from None
        if pools.prefixlen > 24:
            raise ValueError("pools: has to have room for a /24")
        if "," in (self.host or "") or len(self.host or "") > 200:
            raise ValueError("host: has to be at most 200 characters, and no comma")
