"""The versions of the CNI specification that the plugin speaks, and what differs between them."""

from integrations.cni.errors import UNSUPPORTED_VERSION, CniError

SUPPORTED = ("0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0")

_FIRST_WITH = {"CHECK": "0.4.0", "GC": "1.1.0", "STATUS": "1.1.0"}


def check_version(version: str, command: str) -> None:
    """Refuse a version that isn't spoken here, or that doesn't have the command."""
    if version not in SUPPORTED:
        raise CniError(
            UNSUPPORTED_VERSION,
            f"cniVersion {version!r} is not supported",
            f"supported are {', '.join(SUPPORTED)}",
        )
    first = _FIRST_WITH.get(command)
    if first is not None and SUPPORTED.index(version) < SUPPORTED.index(first):
        raise CniError(
            UNSUPPORTED_VERSION,
            f"cniVersion {version} has no {command}",
            f"it came with {first}",
        )


def addresses_have_versions(version: str) -> bool:
    """Tell whether each address of a result says its family, ``"version": "4"``."""
    return version in ("0.3.0", "0.3.1", "0.4.0")


def has_metrics(version: str) -> bool:
    """Tell whether interfaces of a result have an MTU, and routes more than a gateway."""
    return version == "1.1.0"
