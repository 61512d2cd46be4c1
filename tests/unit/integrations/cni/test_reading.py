"""What runtimes may say, and what they may not: environment, configuration, versions."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from integrations.cni.configuration import Configuration, read_configuration, with_router
from integrations.cni.environment import Invocation, read_environment
from integrations.cni.errors import CniError
from integrations.cni.fields import DOCUMENT_LIMIT, read_document
from integrations.host.links import Route

ENVIRONMENT = {
    "CNI_COMMAND": "ADD",
    "CNI_CONTAINERID": "web",
    "CNI_NETNS": "/run/netns/web",
    "CNI_IFNAME": "eth0",
    "CNI_PATH": "/opt/cni/bin",
}
EXAMPLES = Path(__file__).parents[4] / "examples"
DOCUMENT: Mapping[str, Any] = {"cniVersion": "1.1.0", "name": "lan", "type": "treadle-cni"}


def invocation(**changes: str) -> Invocation:
    return read_environment(ENVIRONMENT | {f"CNI_{name}": text for name, text in changes.items()})


def read(environment: Mapping[str, str] | None = None, **fields: Any) -> Configuration:
    """The configuration with these fields; of a name, ``__`` is a dot."""
    document = {**DOCUMENT, **fields}
    return read_configuration(document, invocation(**(environment or {})))


def test_the_environment_is_read() -> None:
    args = "IgnoreUnknown=1;K8S_POD_NAME=web-0;OTHER=a=b"
    assert invocation(ARGS=args) == Invocation(
        "ADD",
        "web",
        "/run/netns/web",
        "eth0",
        {"IgnoreUnknown": "1", "K8S_POD_NAME": "web-0", "OTHER": "a=b"},
    )


def test_del_needs_no_namespace_and_probes_need_nothing() -> None:
    assert invocation(COMMAND="DEL", NETNS="").netns is None
    probe = {"CNI_COMMAND": "VERSION", "CNI_CONTAINERID": "", "CNI_NETNS": "dummy"}
    assert read_environment(probe).command == "VERSION"


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("COMMAND", ""),
        ("COMMAND", "add"),
        ("CONTAINERID", ""),
        ("CONTAINERID", "../x"),
        ("CONTAINERID", "a b"),
        ("CONTAINERID", "a" * 256),
        ("IFNAME", ""),
        ("IFNAME", "a/b"),
        ("IFNAME", "a b"),
        ("IFNAME", "-x"),
        ("IFNAME", ".."),
        ("IFNAME", "x" * 16),
        ("NETNS", ""),
        ("NETNS", "web"),
        ("NETNS", "/run/a b"),
        ("NETNS", "/run/a\nlink delete eth0"),
        ("ARGS", "K8S"),
        ("ARGS", "UNKNOWN=1"),
        ("ARGS", "IgnoreUnknown=1;" + "x" * 70_000),
        ("ARGS", "IP=10.0.0.1.2"),
        ("ARGS", "MAC=ff:ff:ff:ff:ff:ff"),
    ],
)
def test_wrong_environments_are_refused_by_name(variable: str, text: str) -> None:
    with pytest.raises(CniError) as refused:
        read({variable: text})
    assert refused.value.code == 4
    assert refused.value.message.startswith(f"CNI_{variable}: ")


def test_what_is_left_out_has_a_default() -> None:
    configuration = read()
    assert configuration.server.url == "http://127.0.0.1:6680"
    assert (configuration.mode, configuration.switch, configuration.mtu) == ("overlay", "lan", 1442)
    assert configuration.port_security
    assert configuration.routes == []
    assert configuration.create_switch is None


def test_everything_that_can_be_said_is_read() -> None:
    configuration = read(
        url="https://controller",
        switch="shop/web",
        createSwitch={"subnet4": "10.0.0.0/24", "excludeIPs": ["10.0.0.9"], "labels": {"a": "b"}},
        gateways=["10.0.0.1", "FD00::1"],
        defaultRoute=True,
        routes=[{"dst": "10.7.0.1/16"}, {"dst": "10.8.0.0/16", "gw": "10.0.0.3", "mtu": 1300}],
        portGroups=["web"],
        dns={"nameservers": ["10.0.0.2"], "domain": "", "search": []},
        capabilities={"ips": True},
        runtimeConfig={"mac": "0A:00:00:00:00:01", "ips": ["10.0.0.7/24"], "portMappings": []},
        args={"cni": {"mac": "0a:00:00:00:00:02"}},
        **{"cni.dev/something": 1, "org/own": 2},
    )
    assert configuration.routes == [
        Route("0.0.0.0/0", "10.0.0.1"),
        Route("::/0", "fd00::1"),
        Route("10.7.0.0/16", "10.0.0.1"),
        Route("10.8.0.0/16", "10.0.0.3", mtu=1300),
    ]
    assert (configuration.mac, configuration.ips) == ("0a:00:00:00:00:01", ["10.0.0.7/24"])
    assert configuration.dns == {"nameservers": ["10.0.0.2"]}


def test_a_router_says_where_default_routes_lead() -> None:
    routes = [
        {"dst": "10.7.0.0/16"},
        {"dst": "10.8.0.0/16", "gw": "10.0.0.3"},
        {"dst": "fd01::/64"},
    ]
    configuration = read(defaultRoute=True, routes=routes)
    assert configuration.asks_router
    assert not read(defaultRoute=True, gateways=["10.0.0.1"]).asks_router
    routed = with_router(configuration, ["10.0.0.1"])
    assert not routed.asks_router
    assert routed.routes == [
        Route("0.0.0.0/0", "10.0.0.1"),
        Route("10.7.0.0/16", "10.0.0.1"),
        Route("10.8.0.0/16", "10.0.0.3"),
        Route("fd01::/64"),
    ]


def test_addresses_are_asked_for_in_three_places_of_which_the_runtime_goes_first() -> None:
    environment = {"ARGS": "IP=10.0.0.5;MAC=0a:00:00:00:00:05"}
    configuration = read(environment)
    assert (configuration.mac, configuration.ips) == ("0a:00:00:00:00:05", ["10.0.0.5"])
    configuration = read(environment, args={"cni": {"ips": ["10.0.0.6"]}})
    assert configuration.ips == ["10.0.0.6"]
    configuration = read(environment, runtimeConfig={"ips": ["10.0.0.7/8"]})
    assert configuration.ips == ["10.0.0.7/8"]


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("name", {"name": ""}),
    ("name", {"name": 7}),
    ("name", {"name": "x" * 300}),
    ("name", {"name": "a b"}),
    ("name", {"name": "../lan"}),
    ("portgroups", {"portgroups": []}),
    ("ipam", {"ipam": {"type": "host-local"}}),
    ("url", {"url": ["x"]}),
    ("plainText", {"plainText": "yes"}),
    ("timeout", {"timeout": 0}),
    ("timeout", {"timeout": True}),
    ("mtu", {"mtu": "1400"}),
    ("mtu", {"mtu": 10}),
    ("mode", {"mode": "vlan"}),
    ("bridge", {"bridge": "a b"}),
    ("portGroups[1]", {"portGroups": ["a", None]}),
    ("portGroups", {"portGroups": ["a"] * 10_001}),
    ("labels", {"labels": []}),
    ("labels.a", {"labels": {"a": 1}}),
    ("labels.a", {"labels": {"a": "x\ny"}}),
    ("createSwitch.subnet", {"createSwitch": {"subnet": "10.0.0.0/8"}}),
    ("gateways[0]", {"gateways": ["10.0.0.0/8"]}),
    ("gateways", {"gateways": ["10.0.0.1", "10.0.0.2"]}),
    ("defaultRoute", {"defaultRoute": "yes"}),
    ("routes[0]", {"routes": ["x"]}),
    ("routes[0].dst", {"routes": [{}]}),
    ("routes[0].dst", {"routes": [{"dst": "x; ip link"}]}),
    ("routes[0].gw", {"routes": [{"dst": "10.0.0.0/8", "gw": "fd00::1"}]}),
    ("routes[0].via", {"routes": [{"dst": "10.0.0.0/8", "via": "10.0.0.1"}]}),
    ("routes[0].priority", {"routes": [{"dst": "10.0.0.0/8", "priority": -1}]}),
    ("runtimeConfig", {"runtimeConfig": 1}),
    ("runtimeConfig.mac", {"runtimeConfig": {"mac": "01:00:00:00:00:01"}}),
    ("runtimeConfig.ips[0]", {"runtimeConfig": {"ips": ["10.0.0.1/99"]}}),
    ("args.cni.ips[0]", {"args": {"cni": {"ips": ["x"]}}}),
    ("dns.nameservers", {"dns": {"nameservers": "10.0.0.1"}}),
    ("prevResult.ips[0].address", {"prevResult": {"ips": [{"address": "x"}]}}),
    ("prevResult.interfaces[0].name", {"prevResult": {"interfaces": [{}]}}),
    ("master", {"mode": "macvlan"}),
    ("master", {"master": "eth1"}),
    ("representor", {"mode": "host-device", "device": "vf0"}),
    ("macvlanMode", {"mode": "macvlan", "master": "eth1", "macvlanMode": "x"}),
    ("portGroups", {"mode": "macvlan", "master": "eth1", "portGroups": ["web"]}),
]


@pytest.mark.parametrize(("where", "fields"), WRONG)
def test_wrong_fields_are_refused_by_name(where: str, fields: dict[str, Any]) -> None:
    with pytest.raises(CniError) as refused:
        read(**fields)
    assert refused.value.code == 7
    assert refused.value.message.startswith(f"{where}: ")


@pytest.mark.parametrize(
    ("version", "command"),
    [
        (None, "ADD"),
        ("0.2.0", "ADD"),
        ("2.0.0", "ADD"),
        ("0.3.1", "CHECK"),
        ("1.0.0", "GC"),
        ("1.0.0", "STATUS"),
    ],
)
def test_other_versions_are_refused(version: str | None, command: str) -> None:
    with pytest.raises(CniError) as refused:
        read({"COMMAND": command}, cniVersion=version)
    assert refused.value.code == 1


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*/*.conflist")), ids=lambda path: path.stem)
def test_the_examples_are_right(path: Path) -> None:
    conflist = json.loads(path.read_text())
    (plugin,) = conflist.pop("plugins")
    assert plugin["type"] == "treadle-cni"
    read_configuration({**conflist, **plugin}, invocation())


def test_gc_needs_to_be_told_what_is_valid() -> None:
    with pytest.raises(CniError, match="everything would be removed"):
        read({"COMMAND": "GC"})
    valid = [{"containerID": "web", "ifname": "eth0"}]
    configuration = read({"COMMAND": "GC"}, **{"cni.dev/valid-attachments": valid})
    assert configuration.valid_attachments == [("web", "eth0")]


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"{",
        b"[]",
        b'"x"',
        b"\xff\xfe",
        b"[" * 200_000,
        b'{"a":' * 100_000,
        b'{"a": ' + b"9" * 10_000 + b"}",
        b" " * (DOCUMENT_LIMIT + 1),
    ],
)
def test_what_is_no_document_is_refused(octets: bytes) -> None:
    with pytest.raises(CniError) as refused:
        read_document(octets)
    assert refused.value.code == 6


def test_a_document_is_read() -> None:
    assert read_document(json.dumps(DOCUMENT).encode()) == DOCUMENT
