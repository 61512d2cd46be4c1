"""The options of networks, pools and endpoints."""

import pytest

from integrations.docker.errors import RefusedCallError
from integrations.docker.options import (
    NetworkOptions,
    endpoint_groups,
    network_options,
    pool_options,
)


def test_nothing_said() -> None:
    assert network_options({}) == NetworkOptions()
    assert pool_options({}) == (None, None)
    assert endpoint_groups({}) == ()


def test_all_that_can_be_said() -> None:
    assert network_options(
        {
            "treadle.switch": "web",
            "treadle.project": "acme",
            "treadle.acl-profile": "all, web,all",
            "treadle.router": "edge",
            "treadle.mtu": "9000",
            "treadle.port-security": "false",
            "treadle.published-ports": "ignore",
            "com.docker.network.container_iface_prefix": "lan",
            "com.docker.network.bridge.name": "not ours",
        }
    ) == NetworkOptions("web", "acme", ("all", "web"), "edge", 9000, False, True, "lan")
    assert network_options({"com.docker.network.driver.mtu": "1400"}).mtu == 1400
    assert pool_options({"treadle.switch": "web", "treadle.project": "p"}) == ("web", "p")
    assert endpoint_groups({"treadle.acl-profile": "web"}) == ("web",)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"treadle.swich": "web"}, "there is no option treadle.swich here; .* treadle.switch"),
        ({"treadle.switch": "a b"}, "treadle.switch: 'a b'"),
        ({"treadle.switch": ""}, "treadle.switch: ''"),
        ({"treadle.switch": "x/../y"}, "treadle.switch"),
        ({"treadle.project": "é"}, "treadle.project"),
        ({"treadle.acl-profile": "web,$x"}, "treadle.acl-profile: '\\$x'"),
        ({"treadle.mtu": "500"}, "'500' is no MTU"),
        ({"treadle.mtu": "1500.0"}, "is no MTU"),
        ({"com.docker.network.driver.mtu": "big"}, "'big' is no MTU"),
        ({"treadle.port-security": "off"}, "treadle.port-security: has to be true or false"),
        ({"treadle.published-ports": "publish"}, "treadle.published-ports: has to be"),
        ({"com.docker.network.container_iface_prefix": "0"}, "can't begin an interface's name"),
    ],
)
def test_what_cannot_be_meant_is_refused(given: dict[str, str], told: str) -> None:
    with pytest.raises(RefusedCallError, match=told):
        network_options(given)


def test_a_pool_takes_no_options_of_a_network() -> None:
    with pytest.raises(RefusedCallError, match=r"no option treadle\.mtu here"):
        pool_options({"treadle.mtu": "1500"})
    with pytest.raises(RefusedCallError, match=r"no option treadle\.switch here"):
        endpoint_groups({"treadle.switch": "web"})
