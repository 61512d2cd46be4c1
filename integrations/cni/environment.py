"""What the runtime says in the environment: which verb, for which interface of which container."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from integrations.cni.errors import INVALID_ENVIRONMENT, CniError
from integrations.host.links import is_interface_name

COMMANDS = ("ADD", "DEL", "CHECK", "GC", "STATUS", "VERSION")
_OF_ONE_INTERFACE = ("ADD", "DEL", "CHECK")
_CONTAINER_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]*")
_CONTAINER_ID_LIMIT = 255
_NETNS = re.compile(r"/[^\s\"'\\#]{0,4095}")
_ARGS_LIMIT = 64 * 1024

UNDERSTOOD_ARGS = frozenset(
    {
        "IgnoreUnknown",
        "IP",
        "MAC",
        "K8S_POD_NAME",
        "K8S_POD_NAMESPACE",
        "K8S_POD_UID",
        "K8S_POD_INFRA_CONTAINER_ID",
    }
)


class Invocation(NamedTuple):
    """One call of the plugin."""

    command: str
    container: str
    """The container's id; empty where the verb is about none."""
    netns: str | None
    """The path of the container's network namespace; None where it is gone."""
    ifname: str
    """The interface's name in the container; empty where the verb is about none."""
    args: Mapping[str, str]


def read_environment(environment: Mapping[str, str]) -> Invocation:
    """Read the variables ``CNI_…``, as far as the verb has a use for them."""
    command = environment.get("CNI_COMMAND", "")
    if command not in COMMANDS:
        raise _wrong("CNI_COMMAND", f"{command!r} is none of {', '.join(COMMANDS)}")
    if command not in _OF_ONE_INTERFACE:
        # Runtimes probe with any values.
        return Invocation(command, "", None, "", {})
    container = environment.get("CNI_CONTAINERID", "")
    if len(container) > _CONTAINER_ID_LIMIT or not _CONTAINER_ID.fullmatch(container):
        raise _wrong("CNI_CONTAINERID", f"{container[:300]!r} is no id of a container")
    ifname = environment.get("CNI_IFNAME", "")
    if not is_interface_name(ifname):
        raise _wrong("CNI_IFNAME", f"{ifname[:300]!r} can't be the name of an interface")
    netns = environment.get("CNI_NETNS", "") or None
    if netns is None and command != "DEL":
        raise _wrong("CNI_NETNS", "is needed")
    if netns is not None and not _NETNS.fullmatch(netns):
        raise _wrong("CNI_NETNS", f"{netns[:300]!r} can't be the path of a network namespace")
    return Invocation(command, container, netns, ifname, _args(environment.get("CNI_ARGS", "")))


def _args(text: str) -> dict[str, str]:
    """Read ``KEY=VALUE;KEY=VALUE``; unknown keys are refused unless it says ``IgnoreUnknown``.

    >>> _args("IgnoreUnknown=1;K8S_POD_NAME=web;X=y")["K8S_POD_NAME"]
    'web'
    """
    if len(text) > _ARGS_LIMIT:
        raise _wrong("CNI_ARGS", f"is longer than {_ARGS_LIMIT} characters")
    args: dict[str, str] = {}
    for pair in filter(None, text.split(";")):
        key, equals, value = pair.partition("=")
        if not key or not equals:
            raise _wrong("CNI_ARGS", f"{pair[:300]!r} is no KEY=VALUE")
        args[key] = value
    if args.get("IgnoreUnknown", "").lower() not in ("1", "true"):
        unknown = sorted(set(args) - UNDERSTOOD_ARGS)
        if unknown:
            raise _wrong("CNI_ARGS", f"unknown: {', '.join(unknown)[:300]}")
    return args


def _wrong(variable: str, reason: str) -> CniError:
    return CniError(INVALID_ENVIRONMENT, f"{variable}: {reason}")
