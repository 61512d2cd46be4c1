"""What variables of chassis stand for, and what they can't."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logical_flow.errors import UnresolvedError
from logical_flow.holes import Hole, HoleType
from logical_flow.variables import (
    LONGEST_VALUE,
    expand_backend,
    expand_member,
    fill_variables,
    parse_backend_text,
)

VALUES = {
    "NODE": "192.0.2.1",
    "NODE6": "2001:db8::1",
    "PORT": "8080",
    "WEB": "10.0.0.1:80, 10.0.0.2:81",
    "WEB6": "[fd00::1]:80,[fd00::2]:80",
    "NONE": "",
    "BAD": "web.example.org",
    "MANY": ",".join(f"10.0.{n // 250}.{n % 250 + 1}:80" for n in range(513)),
    "LONG": "1" * (LONGEST_VALUE + 1),
}


@pytest.mark.parametrize(
    ("text", "version", "backends"),
    [
        ("^WEB", 4, ["10.0.0.1:80", "10.0.0.2:81"]),
        ("^WEB6", 6, ["[fd00::1]:80", "[fd00::2]:80"]),
        ("^NODE:^PORT", 4, ["192.0.2.1:8080"]),
        ("^NODE:443", 4, ["192.0.2.1:443"]),
        ("^NODE6:443", 6, ["[2001:db8::1]:443"]),
        ("10.0.0.5:^PORT", 4, ["10.0.0.5:8080"]),
        ("[fd00::5]:^PORT", 6, ["[fd00::5]:8080"]),
        ("^NONE", 4, []),
        ("^NODE", 4, ["192.0.2.1"]),
    ],
)
def test_what_backends_are(text: str, version: int, backends: list[str]) -> None:
    assert str(parse_backend_text(text)) == text
    expanded = expand_backend(text, VALUES.get, version, has_port=True)
    assert list(map(str, expanded)) == backends


@pytest.mark.parametrize(
    ("text", "version", "reason"),
    [
        ("^WEB", 6, "no IPv6 address"),
        ("^MISSING", 4, "is not set"),
        ("^BAD:80", 4, "is no address"),
        ("^WEB:80", 4, "is no address"),
        ("^NODE:^BAD", 4, "is no port"),
        ("^BAD", 4, "is no list of backends"),
        ("^MANY", 4, "more than 512"),
        ("^LONG", 4, "is longer than"),
    ],
)
def test_values_that_do_not_fit(text: str, version: int, reason: str) -> None:
    with pytest.raises(UnresolvedError, match=reason):
        expand_backend(text, VALUES.get, version, has_port=True)


def test_an_address_without_port_has_backends_without() -> None:
    with pytest.raises(UnresolvedError, match="the virtual address has none"):
        expand_backend("^WEB", VALUES.get, 4, has_port=False)
    assert len(expand_backend("^NODE", VALUES.get, 4, has_port=False)) == 1


@pytest.mark.parametrize(
    "text", ["^", "^a b", "^a:", "^a:0", "^a:65536", "^a:b", "web:^P", "^a:^", "1^a", "^é"]
)
def test_what_is_no_backend(text: str) -> None:
    with pytest.raises(ValueError):
        parse_backend_text(text)


def test_sets_of_addresses_have_no_ports() -> None:
    assert expand_member("^WEB", VALUES.get) == ("10.0.0.1", "10.0.0.2")
    assert expand_member("^WEB6", VALUES.get) == ("fd00::1", "fd00::2")
    with pytest.raises(UnresolvedError):
        expand_member("^BAD", VALUES.get)


HOLES = [
    Hole("vip", HoleType.IP4),
    Hole("port", HoleType.INT),
    Hole("inport", HoleType.LPORT),
    Hole("other", HoleType.IP6),
]


def test_only_addresses_and_integers_are_variables() -> None:
    filled = fill_variables(HOLES, ("^NODE", "^PORT", "^NODE", "^NODE6"), VALUES.get)
    assert filled == (bytes([192, 0, 2, 1]), 8080, "^NODE", b"\x20\x01\x0d\xb8" + bytes(11) + b"\1")
    assert HoleType.IP4.accepts("^NODE")
    assert HoleType.INT.accepts("^NODE")
    for kind in (HoleType.MAC, HoleType.CIDR4, HoleType.BYTES):
        assert not kind.accepts("^NODE")
    assert not HoleType.IP4.accepts("NODE")


@given(st.text(max_size=60), st.dictionaries(st.just("V"), st.text(max_size=60)))
def test_any_text_is_a_backend_or_refused(text: str, values: dict[str, str]) -> None:
    try:
        parsed = parse_backend_text(text)
    except ValueError:
        return
    assert parse_backend_text(str(parsed)) == parsed
    for version in (4, 6):
        try:
            expand_backend(text, values.get, version, has_port=True)
        except UnresolvedError:
            continue
        except ValueError:
            pytest.fail(f"{text!r} with {values!r}")


@given(st.text(max_size=80))
def test_any_value_fits_or_is_told(value: str) -> None:
    for text in ("^V", "^V:80", "10.0.0.1:^V"):
        for version in (4, 6):
            with suppress(UnresolvedError):
                assert len(expand_backend(text, {"V": value}.get, version, has_port=True)) <= 1
