"""Names of ports and domains of networks: what they may be, and what becomes of them.

They are kept and shown; who serves DNS reads them from here.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

from api.neutron.values import text

DOMAIN: Final = "openstacklocal."
"""The domain of ports whose names have none."""

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_TEXT = text()


def dns_name(value: Any) -> str:
    """Take a host name, with or without its domain (RFC 1123 2.1), in lower case.

    >>> dns_name("Web")
    'web'
    """
    name = str(_TEXT(value)).lower()
    if not name:
        return ""
    labels = name.removesuffix(".").split(".")
    if not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(f"'{value}' not a valid PQDN or FQDN")
    if len(labels) > 1 and labels[-1].isdigit():
        raise ValueError(f"'{value}' not a valid PQDN or FQDN. Reason: TLD must not be all numeric")
    return name


def dns_domain(value: Any) -> str:
    """Take a domain, which ends with a dot, in lower case.

    >>> dns_domain("Example.org.")
    'example.org.'
    """
    domain = dns_name(value)
    if domain and not domain.endswith("."):
        raise ValueError(f"'{value}' is not a FQDN")
    return domain


def dns_assignment(name: str, ips: Sequence[str]) -> list[dict[str, str]]:
    """Return the names by which a port is known at each of its addresses.

    >>> dns_assignment("", ["10.0.0.5"])[0]["fqdn"]
    'host-10-0-0-5.openstacklocal.'
    """
    assigned = []
    for ip in ips:
        host = name or "host-" + ip.replace(".", "-").replace(":", "-")
        full = host if host.endswith(".") else f"{host}.{DOMAIN}"
        assigned.append({"ip_address": ip, "hostname": host.split(".")[0], "fqdn": full})
    return assigned
