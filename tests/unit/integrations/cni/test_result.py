"""Results in the form of each version, alone and behind other plugins; names of attachments."""

from typing import Any

import pytest

from integrations.cni.attachment import Attachment
from integrations.cni.result import Address, Interface, Result, encode
from integrations.cni.versions import SUPPORTED
from integrations.host.links import Route, is_interface_name

RESULT = Result(
    interfaces=[
        Interface("cni0123456789ab", None, 1442, None),
        Interface("eth0", "0a:00:00:00:00:01", 1442, "/run/netns/web"),
    ],
    addresses=[Address("10.0.0.2/24", "10.0.0.1"), Address("fd00::2/64", None)],
    routes=[Route("0.0.0.0/0", "10.0.0.1", mtu=1400, priority=5)],
    dns={},
)


@pytest.mark.parametrize("version", SUPPORTED)
def test_each_version_has_its_form(version: str) -> None:
    with_family = version in ("0.3.0", "0.3.1", "0.4.0")
    newest = version == "1.1.0"

    def address(entry: dict[str, Any], family: str) -> dict[str, Any]:
        return {**entry, "version": family} if with_family else entry

    size = {"mtu": 1442} if newest else {}
    metrics = {"mtu": 1400, "priority": 5} if newest else {}
    assert encode(RESULT, version, None) == {
        "cniVersion": version,
        "interfaces": [
            {"name": "cni0123456789ab", **size},
            {"name": "eth0", "mac": "0a:00:00:00:00:01", **size, "sandbox": "/run/netns/web"},
        ],
        "ips": [
            address({"address": "10.0.0.2/24", "interface": 1, "gateway": "10.0.0.1"}, "4"),
            address({"address": "fd00::2/64", "interface": 1}, "6"),
        ],
        "routes": [{"dst": "0.0.0.0/0", "gw": "10.0.0.1", **metrics}],
    }


def test_what_plugins_before_told_is_passed_on() -> None:
    before = {
        "cniVersion": "1.0.0",
        "interfaces": [{"name": "lo"}],
        "ips": [{"address": "127.0.0.1/8", "interface": 0}],
        "dns": {"nameservers": ["10.0.0.9"]},
        "future": 1,
    }
    document = encode(RESULT, "1.0.0", before)
    assert [interface["name"] for interface in document["interfaces"]] == [
        "lo",
        "cni0123456789ab",
        "eth0",
    ]
    assert [entry["interface"] for entry in document["ips"]] == [0, 2, 2]
    assert document["dns"] == {"nameservers": ["10.0.0.9"]}
    assert document["future"] == 1
    own = RESULT._replace(dns={"domain": "x"})
    assert encode(own, "1.0.0", before)["dns"] == {"domain": "x"}


def test_names_follow_from_all_that_tells_attachments_apart() -> None:
    one = Attachment("hv1", "lan", "web", "eth0")
    others = [
        Attachment("hv2", "lan", "web", "eth0"),
        Attachment("hv1", "wan", "web", "eth0"),
        Attachment("hv1", "lan", "db", "eth0"),
        Attachment("hv1", "lan", "web", "eth1"),
        Attachment("hv1", "lan", "webeth", "0"),
    ]
    assert one.port_id == Attachment("hv1", "lan", "web", "eth0").port_id
    assert len({each.port_id for each in [one, *others]}) == 6
    assert is_interface_name(one.host_interface)
    # What is in use somewhere has these ids: they never change.
    assert one.port_id == "25f5c794-126c-561d-8b10-2a5a216e0825"


def test_pods_are_told_by_labels() -> None:
    args = {"K8S_POD_NAMESPACE": "shop", "K8S_POD_NAME": "web-0", "K8S_POD_UID": "u-1"}
    attachment = Attachment("hv1", "lan", "f00d", "eth0")
    assert attachment.labels(args, {"team": "shop", "treadle.cni/host": "forged"}) == {
        "team": "shop",
        "treadle.kubernetes/namespace": "shop",
        "treadle.kubernetes/pod": "web-0",
        "treadle.kubernetes/pod-uid": "u-1",
        "treadle.cni/host": "hv1",
        "treadle.cni/network": "lan",
        "treadle.cni/container": "f00d",
        "treadle.cni/interface": "eth0",
    }
    assert attachment.display_name(args) == "shop/web-0 eth0"
    assert attachment.display_name({}) == "f00d eth0"
    assert attachment.display_name({"K8S_POD_NAME": "a\x00"}) == attachment.port_id
