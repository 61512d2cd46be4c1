"""What ``docker network create -o treadle.…`` and ``--ipam-opt treadle.…`` can say."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from integrations.docker.errors import RefusedCallError

_PREFIX = "treadle."
_DOCKERS_MTU = "com.docker.network.driver.mtu"
_DOCKERS_PREFIX = "com.docker.network.container_iface_prefix"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:\-]{0,254}")
_GROUP = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.\-]{0,254}")
_INTERFACE_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9_\-]{0,11}")
_POOL_OPTIONS = ("switch", "project")
_NETWORK_OPTIONS = (
    *_POOL_OPTIONS,
    *("acl-profile", "router", "mtu", "port-security", "published-ports"),
)
_ENDPOINT_OPTIONS = ("acl-profile",)
DEFAULT_PREFIX = "eth"


class NetworkOptions(NamedTuple):
    """The options of a network; None is what wasn't said."""

    switch: str | None = None
    """Name or id of the switch."""
    project: str | None = None
    groups: tuple[str, ...] = ()
    """The port groups that its endpoints join."""
    router: str | None = None
    """The router that has the network's gateway."""
    mtu: int | None = None
    port_security: bool = True
    ignore_published_ports: bool = False
    interface_prefix: str = DEFAULT_PREFIX


def is_name(text: str) -> bool:
    """Tell whether a text can be the name or the id of an object, as one segment of a path."""
    return _NAME.fullmatch(text) is not None


def network_options(given: Mapping[str, str]) -> NetworkOptions:
    """Read ``-o`` pairs. Raises :class:`RefusedCallError` for a ``treadle.`` one that isn't known.

    >>> network_options({"treadle.switch": "web", "treadle.acl-profile": "web,all"}).groups
    ('web', 'all')
    """
    ours = _own(given, _NETWORK_OPTIONS)
    mtu = ours.get("mtu", given.get(_DOCKERS_MTU))
    return NetworkOptions(
        switch=_name("switch", ours),
        project=_name("project", ours),
        groups=_groups(ours),
        router=_name("router", ours),
        mtu=None if mtu is None else _mtu(mtu),
        port_security=_choice("port-security", ours, "true", "false") == "true",
        ignore_published_ports=_choice("published-ports", ours, "refuse", "ignore") == "ignore",
        interface_prefix=_interface_prefix(given.get(_DOCKERS_PREFIX, DEFAULT_PREFIX)),
    )


def pool_options(given: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Read ``--ipam-opt`` pairs: the switch and the project, None where not said."""
    ours = _own(given, _POOL_OPTIONS)
    return _name("switch", ours), _name("project", ours)


def endpoint_groups(given: Mapping[str, str]) -> tuple[str, ...]:
    """Read the ``--driver-opt`` pairs of one endpoint: the port groups that it joins besides."""
    return _groups(_own(given, _ENDPOINT_OPTIONS))


def _own(given: Mapping[str, str], known: tuple[str, ...]) -> dict[str, str]:
    ours = {
        name.removeprefix(_PREFIX): value.strip()
        for name, value in given.items()
        if name.startswith(_PREFIX)
    }
    for name in ours:
        if name not in known:
            names = ", ".join(_PREFIX + each for each in known)
            raise RefusedCallError(f"there is no option {_PREFIX}{name} here; there are {names}")
    return ours


def _name(option: str, ours: Mapping[str, str]) -> str | None:
    name = ours.get(option)
    if name is not None and not is_name(name):
        raise RefusedCallError(f"{_PREFIX}{option}: {name!r} is no name of an object of Treadle")
    return name


def _groups(ours: Mapping[str, str]) -> tuple[str, ...]:
    groups = [name.strip() for name in ours.get("acl-profile", "").split(",") if name.strip()]
    for name in groups:
        if not _GROUP.fullmatch(name):
            raise RefusedCallError(f"{_PREFIX}acl-profile: {name!r} is no name of a port group")
    return tuple(dict.fromkeys(groups))


def _mtu(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 576 <= int(text) <= 65535):
        raise RefusedCallError(f"{text!r} is no MTU: that is a number from 576 to 65535")
    return int(text)


def _choice(option: str, ours: Mapping[str, str], default: str, other: str) -> str:
    value = ours.get(option, default)
    if value not in (default, other):
        raise RefusedCallError(f"{_PREFIX}{option}: has to be {default} or {other}, not {value!r}")
    return value


def _interface_prefix(text: str) -> str:
    if not _INTERFACE_PREFIX.fullmatch(text):
        raise RefusedCallError(f"{_DOCKERS_PREFIX}: {text!r} can't begin an interface's name")
    return text
