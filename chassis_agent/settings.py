"""What ties an agent to its host.

Two sources say it. :class:`AgentSettings` comes from the command line, the
environment and files; :func:`resolve` fills what they leave open from the
``external_ids`` of the Open vSwitch database, where operators of OVN already
keep it: ``treadle-<key>`` first, then ``ovn-<key>``. Nothing else in the agent
knows a path or an address of its host, so many agents run on one machine.
"""

import ipaddress
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from chassis_agent.bridge.unixctl import control_socket
from chassis_agent.errors import HostConfigurationError
from southbound.chassis import DEFAULT_BRIDGE
from southbound.encaps import TUNNEL_TYPE
from southbound.provider_macs import MAC_MAPPINGS, mac_mappings


def _default_run_directory() -> Path:
    """Where Open vSwitch's own programs look."""
    return Path(os.environ.get("OVS_RUNDIR") or "/var/run/openvswitch")


class AgentSettings(BaseModel):
    """Explicit settings. ``None`` leaves the choice to the Open vSwitch database."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    run_directory: Path = Field(default_factory=_default_run_directory)
    """Where Open vSwitch keeps its sockets and pid files."""
    control_socket: Path | None = None
    """The control socket of ``ovs-vswitchd``; found in the run directory without it."""
    state_directory: Path = Path("/var/lib/treadle/agent")
    """Where the agent keeps its cache and its status socket."""
    ovsdb: str | None = None
    """The Open vSwitch database, such as ``unix:/var/run/openvswitch/db.sock``."""

    server: str | None = None
    """Where agents watch, such as ``ws://controller:6650``."""
    token: SecretStr | None = None
    tls_ca: Path | None = None
    """Certificates that the server is checked against; the system's without it."""
    tls_certificate: Path | None = None
    """This chassis' certificate, to be shown to the server; it is for its `system-id`."""
    tls_private_key: Path | None = None
    plain_text: bool = False
    """Whether a token may go to another host without TLS."""

    repair: bool = True
    """Whether flows that another program changed are repaired; they are named in any case."""

    conntrack_limit: int = Field(default=32_768, ge=0)
    """Connections that are tracked for one port; 0 for no limit."""

    system_id: str | None = None
    hostname: str | None = None
    encap_ip: str | None = None
    bridge: str | None = None
    datapath_type: str | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_private_key is None):
            raise ValueError("tls_certificate and tls_private_key go together")
        return self

    @property
    def ovsdb_remote(self) -> str:
        return self.ovsdb or f"unix:{self.run_directory / 'db.sock'}"

    @property
    def status_socket(self) -> Path:
        return self.state_directory / "agent.sock"

    @property
    def cache_directory(self) -> Path:
        return self.state_directory / "cache"

    def switch_control(self) -> Path:
        """The control socket of ``ovs-vswitchd``. Raises ControlError if there is none."""
        return self.control_socket or control_socket(self.run_directory)

    def management_socket(self, bridge: str) -> Path:
        """The socket on which `bridge` speaks OpenFlow to local controllers."""
        return self.run_directory / f"{bridge}.mgmt"


class Host(NamedTuple):
    """The host as the agent presents it: settings and database taken together."""

    system_id: str
    hostname: str
    server: str
    encap_ips: tuple[str, ...]
    bridge: str
    datapath_type: str
    provider_macs: tuple[tuple[str, str], ...] = ()
    """MAC addresses in place of distributed routers', by provider network."""

    def is_same_session(self, other: "Host") -> bool:
        """Whether what differs, if anything, is only what this host says of itself."""
        return other == self._replace(
            encap_ips=other.encap_ips,
            hostname=other.hostname,
            provider_macs=other.provider_macs,
        )


def bridge_name(settings: AgentSettings, external_ids: Mapping[str, str]) -> str:
    return settings.bridge or _shared(external_ids, "bridge") or DEFAULT_BRIDGE


def resolve(settings: AgentSettings, external_ids: Mapping[str, str]) -> Host:
    """Joins settings with the ``external_ids`` of the table ``Open_vSwitch``.

    Raises :class:`HostConfigurationError` with the key to set when a fact is missing
    that the agent can't do without.
    """
    system_id = settings.system_id or external_ids.get("system-id")
    if not system_id:
        raise HostConfigurationError("external_ids:system-id of Open_vSwitch is not set")
    server = settings.server or external_ids.get("treadle-remote")
    if not server:
        raise HostConfigurationError("external_ids:treadle-remote of Open_vSwitch is not set")
    _check_server(server, settings)
    encap_type = _shared(external_ids, "encap-type") or TUNNEL_TYPE
    if TUNNEL_TYPE not in (kind.strip() for kind in encap_type.split(",")):
        raise HostConfigurationError(f"external_ids:treadle-encap-type has to name {TUNNEL_TYPE}")
    return Host(
        system_id=system_id,
        hostname=settings.hostname or external_ids.get("hostname") or socket.gethostname(),
        server=server,
        encap_ips=_addresses(settings.encap_ip or _shared(external_ids, "encap-ip")),
        bridge=bridge_name(settings, external_ids),
        datapath_type=settings.datapath_type or _shared(external_ids, "bridge-datapath-type") or "",
        provider_macs=tuple(mac_mappings(_shared(external_ids, MAC_MAPPINGS)).items()),
    )


def _check_server(server: str, settings: AgentSettings) -> None:
    """Whether the address is one, and credentials are safe on the way to it."""
    parts = urlsplit(server)
    try:
        host, _port = parts.hostname, parts.port
    except ValueError as error:
        raise HostConfigurationError(f"the server's address {server!r}: {error}") from error
    if parts.scheme not in ("ws", "wss") or not host:
        raise HostConfigurationError(
            f"the server's address {server!r} has to be ws://HOST:PORT or wss://HOST:PORT"
        )
    if parts.scheme == "wss" or _is_loopback(host):
        return
    if settings.tls_certificate is not None:
        raise HostConfigurationError(f"a client certificate needs wss://, not {server}")
    if settings.token is not None and not settings.plain_text:
        raise HostConfigurationError(
            f"the token would go to {host} in plain text: use wss://, "
            "or set agent.plain_text where that is safe"
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _shared(external_ids: Mapping[str, str], key: str) -> str:
    return external_ids.get(f"treadle-{key}") or external_ids.get(f"ovn-{key}") or ""


def _addresses(text: str) -> tuple[str, ...]:
    addresses = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        try:
            addresses.append(str(ipaddress.ip_address(part)))
        except ValueError as error:
            raise HostConfigurationError(f"external_ids:treadle-encap-ip: {error}") from error
    if not addresses:
        raise HostConfigurationError("external_ids:treadle-encap-ip of Open_vSwitch is not set")
    return tuple(addresses)
