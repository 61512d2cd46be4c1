"""What ties an agent to its host, from settings and from the database."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from chassis_agent.errors import HostConfigurationError
from chassis_agent.settings import AgentSettings, resolve

SERVER = AgentSettings(server="ws://server:6650")
CERTIFICATE = {"tls_certificate": "hv1.pem", "tls_private_key": "hv1.key"}

OVN_HOST = {
    "system-id": "hv1",
    "hostname": "one.example",
    "ovn-encap-ip": "192.0.2.1",
    "ovn-encap-type": "geneve,vxlan",
    "ovn-bridge": "br-ovn",
    "ovn-remote": "tcp:192.0.2.9:6642",
}


def test_a_host_prepared_for_ovn_works() -> None:
    host = resolve(SERVER, OVN_HOST)
    assert host.system_id == "hv1"
    assert host.hostname == "one.example"
    assert host.encap_ips == ("192.0.2.1",)
    assert host.bridge == "br-ovn"
    assert host.server == "ws://server:6650"


def test_own_keys_come_before_those_of_ovn_and_settings_before_both() -> None:
    keys = OVN_HOST | {"treadle-encap-ip": "192.0.2.2", "treadle-remote": "ws://a"}
    assert resolve(AgentSettings(), keys).encap_ips == ("192.0.2.2",)
    assert resolve(AgentSettings(), keys).server == "ws://a"
    settings = AgentSettings(encap_ip="192.0.2.3", system_id="other", server="ws://b")
    host = resolve(settings, keys)
    assert (host.encap_ips, host.system_id, host.server) == (("192.0.2.3",), "other", "ws://b")


def test_the_remote_of_ovn_is_no_watch_server() -> None:
    with pytest.raises(HostConfigurationError, match="treadle-remote"):
        resolve(AgentSettings(), OVN_HOST)


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"system-id": ""}, "system-id"),
        ({"ovn-encap-ip": ""}, "encap-ip"),
        ({"ovn-encap-ip": "192.0.2.300"}, "encap-ip"),
        ({"ovn-encap-type": "vxlan"}, "encap-type"),
    ],
)
def test_what_is_missing_is_named(changes: dict[str, str], names: str) -> None:
    with pytest.raises(HostConfigurationError, match=names):
        resolve(SERVER, OVN_HOST | changes)


def test_several_encapsulation_addresses() -> None:
    keys = OVN_HOST | {"ovn-encap-ip": "192.0.2.1, 2001:DB8::1"}
    assert resolve(SERVER, keys).encap_ips == ("192.0.2.1", "2001:db8::1")


def test_paths_follow_the_run_directory() -> None:
    settings = AgentSettings.model_validate({"run_directory": "/run/hv1"})
    assert settings.ovsdb_remote == "unix:/run/hv1/db.sock"
    assert str(settings.management_socket("br-int")) == "/run/hv1/br-int.mgmt"


def test_open_vswitch_is_where_its_own_programs_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OVS_RUNDIR", "/run/elsewhere")
    assert AgentSettings().run_directory == Path("/run/elsewhere")
    assert AgentSettings().ovsdb_remote == "unix:/run/elsewhere/db.sock"
    monkeypatch.delenv("OVS_RUNDIR")
    assert AgentSettings().run_directory == Path("/var/run/openvswitch")


def test_a_control_socket_can_be_said() -> None:
    assert AgentSettings(control_socket=Path("/run/x.ctl")).switch_control() == Path("/run/x.ctl")


@pytest.mark.parametrize(
    ("server", "more", "reason"),
    [
        ("ws://controller:6650", {"token": "t"}, "in plain text"),
        ("ws://192.0.2.1:6650", {"token": "t"}, "in plain text"),
        ("ws://controller:6650", {"token": "t", "plain_text": True}, None),
        ("ws://controller:6650", {}, None),
        ("ws://127.0.0.1:6650", {"token": "t"}, None),
        ("ws://[::1]:6650", {"token": "t"}, None),
        ("ws://localhost:6650", {"token": "t"}, None),
        ("wss://controller:6650", {"token": "t"}, None),
        ("ws://controller:6650", CERTIFICATE, "needs wss://"),
        ("wss://controller:6650", CERTIFICATE, None),
        ("http://controller:6650", {}, "has to be ws://HOST:PORT"),
        ("controller:6650", {}, "has to be ws://HOST:PORT"),
        ("ws://controller:none", {}, "controller:none"),
    ],
)
def test_credentials_go_to_others_only_where_they_are_safe(
    server: str, more: dict[str, object], reason: str | None
) -> None:
    settings = AgentSettings.model_validate({"server": server, **more})
    if reason is None:
        assert resolve(settings, OVN_HOST).server == server
        return
    with pytest.raises(HostConfigurationError, match=reason):
        resolve(settings, OVN_HOST)


def test_a_certificate_needs_its_key() -> None:
    with pytest.raises(ValidationError, match="go together"):
        AgentSettings.model_validate({"tls_certificate": "hv1.pem"})


def test_addresses_on_provider_networks_are_read_and_change_no_session() -> None:
    keys = OVN_HOST | {"ovn-chassis-mac-mappings": "dc:0A:00:00:00:00:01,x,y:ff:ff:ff:ff:ff:ff"}
    host = resolve(SERVER, keys)
    assert host.provider_macs == (("dc", "0a:00:00:00:00:01"),)
    assert host.is_same_session(resolve(SERVER, OVN_HOST))
    assert not host.is_same_session(resolve(SERVER, keys | {"system-id": "hv2"}))
