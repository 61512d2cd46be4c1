"""Domain names in their canonical form: lower-case labels, without the dot at the end."""

import re

LONGEST_NAME = 253
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)


def parse_domain_name(text: str) -> str:
    """Return the canonical form of a domain name (RFC 1035 section 2.3.4, RFC 2181 section 11).

    Labels are of letters, digits, hyphens and underscores; other alphabets are written in their
    ASCII form (``xn--…``).

    >>> parse_domain_name("Web.Example.org.")
    'web.example.org'
    """
    name = text.lower().removesuffix(".")
    if not name:
        raise ValueError(f"{text!r} is not a domain name")
    if len(name) > LONGEST_NAME:
        raise ValueError(f"a domain name has {LONGEST_NAME} characters at most, not {len(name)}")
    for label in name.split("."):
        if len(label) > 63:
            raise ValueError(f"{label!r} is longer than the 63 characters of a label")
        if not _LABEL.fullmatch(label):
            raise ValueError(
                f"{text!r} is not a domain name: a label has letters, digits, '_' and inner '-'"
            )
    return name
