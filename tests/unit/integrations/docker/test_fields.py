"""Bodies of calls, read strictly: what Docker doesn't send is refused by the field's name."""

import ipaddress
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.docker.errors import BadCallError
from integrations.docker.fields import Fields, parse_body

ID = "ab" * 32


def test_what_docker_sends_is_read() -> None:
    call = parse_body(
        json.dumps(
            {
                "NetworkID": ID,
                "EndpointID": "0123456789abcdefghijklmno",
                "Interface": {"Address": "10.0.0.2/24", "MacAddress": "02:42:0A:00:00:02"},
                "IPv4Data": [{"Pool": "10.0.0.0/24"}],
                "Options": {"mac": "AkIKAAAC", "flag": True, "text": "false"},
                "IPv6Data": None,
            }
        ).encode()
    )
    assert call.docker_id("NetworkID") == ID
    assert call.docker_id("EndpointID") == "0123456789abcdefghijklmno"
    interface = call.object("Interface")
    assert interface.interface("Address") == ipaddress.ip_interface("10.0.0.2/24")
    assert interface.mac("MacAddress") == "02:42:0a:00:00:02"
    assert interface.address("AddressIPv6") is None
    assert [each.text("Pool") for each in call.objects("IPv4Data")] == ["10.0.0.0/24"]
    assert call.objects("IPv6Data") == call.objects("Missing") == []
    options = call.object("Options")
    assert options.octets_as_mac("mac") == "02:42:0a:00:00:02"
    assert (options.flag("flag"), options.flag("text"), options.flag("none")) == (
        True,
        False,
        False,
    )


@pytest.mark.parametrize(
    ("body", "read", "told"),
    [
        ({"NetworkID": "x"}, lambda c: c.docker_id("NetworkID"), "NetworkID: is no id"),
        ({}, lambda c: c.docker_id("NetworkID"), "NetworkID: is no id"),
        ({"NetworkID": "AB" * 32}, lambda c: c.docker_id("NetworkID"), "NetworkID: is no id"),
        ({"Pool": 5}, lambda c: c.text("Pool"), "Pool: is no text"),
        ({"Pool": "a\nb"}, lambda c: c.text("Pool"), "Pool: .* printed"),
        ({"Pool": "x" * 5000}, lambda c: c.text("Pool"), "Pool: is too long"),
        ({"Pool": "10.0.0.1/24"}, lambda c: c.network("Pool"), "Pool: .* host bits"),
        ({"Pool": "10.0.0.0/99"}, lambda c: c.network("Pool"), "Pool: "),
        ({"A": "10.0.0.300"}, lambda c: c.address("A"), "A: "),
        ({"M": "01:00:00:00:00:00"}, lambda c: c.mac("M"), "M: is no MAC"),
        ({"M": "00:00:00:00:00:00"}, lambda c: c.mac("M"), "M: is no MAC"),
        ({"M": "02:42"}, lambda c: c.mac("M"), "M: is no MAC"),
        ({"M": "!!!"}, lambda c: c.octets_as_mac("M"), "M: is no base 64"),
        ({"M": "é"}, lambda c: c.octets_as_mac("M"), "M: is no base 64"),
        ({"M": "AAA="}, lambda c: c.octets_as_mac("M"), "M: is no MAC"),
        ({"F": "perhaps"}, lambda c: c.flag("F"), "F: is neither"),
        ({"F": 1}, lambda c: c.flag("F"), "F: is neither"),
        ({"O": []}, lambda c: c.object("O"), "O: is no object"),
        ({"O": {"P": 1}}, lambda c: c.object("O").text("P"), "O.P: is no text"),
        ({"L": {}}, lambda c: c.objects("L"), "L: is no list"),
        ({"L": [1]}, lambda c: c.objects("L"), "L: is no list"),
        ({"L": [{"P": 1}]}, lambda c: c.objects("L")[0].text("P"), "L.0.P: is no text"),
        ({"O": {"a": 1}}, lambda c: c.object("O").texts(), "O.a: is no text"),
    ],
)
def test_what_it_does_not_send_is_refused(body: dict, read: object, told: str) -> None:
    call = parse_body(json.dumps(body).encode())
    with pytest.raises(BadCallError, match=told):
        read(call)  # type: ignore[operator]


@pytest.mark.parametrize(
    "octets",
    [
        b"[]",
        b"null",
        b"{",
        b"\xff\xfe",
        b'{"a":' * 5000,
        b"[" * 100_000,
        b'{"a":' * 17 + b"1" + b"}" * 17,
        b'{"a":' + b"1" * 10_000 + b"}",
    ],
)
def test_what_is_no_flat_object_of_json_is_refused(octets: bytes) -> None:
    with pytest.raises(BadCallError, match="the body"):
        parse_body(octets)


def test_an_empty_body_is_an_empty_object() -> None:
    assert parse_body(b"").names() == parse_body(b" \n").names() == []


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(_VALUES)
def test_any_value_is_read_or_refused(value: object) -> None:
    fields = Fields({"x": value})
    for read in (
        fields.text,
        fields.flag,
        fields.docker_id,
        fields.network,
        fields.interface,
        fields.mac,
        fields.octets_as_mac,
        fields.object,
        fields.objects,
    ):
        refusals = []
        try:
            read("x")
        except BadCallError as error:
            refusals.append(str(error))
        assert all(refusal.startswith("x: ") for refusal in refusals)
