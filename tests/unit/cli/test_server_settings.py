"""What can be set about the server, and what is refused."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from cli.agent import AgentSection
from cli.configuration import load
from cli.server.settings import (
    AgentListener,
    ApiListener,
    Database,
    NeutronListener,
    ServerSettings,
)


def test_loopback_needs_no_tokens_and_other_hosts_do() -> None:
    assert not ApiListener().asks_for_tokens
    assert ApiListener(host="0.0.0.0", plain_text=True).asks_for_tokens
    assert ApiListener(authentication=True).asks_for_tokens
    assert not AgentListener(host="::1").asks_for_tokens
    assert AgentListener(host="192.0.2.1", plain_text=True).asks_for_tokens


@pytest.mark.parametrize("listener", [ApiListener, AgentListener])
def test_tokens_cannot_be_waived_where_others_can_reach_the_server(
    listener: type[ApiListener],
) -> None:
    with pytest.raises(ValidationError, match="only be off on a loopback host"):
        listener(host="0.0.0.0", authentication=False)


@pytest.mark.parametrize("listener", [ApiListener, AgentListener])
def test_tokens_go_to_others_in_plain_text_only_where_that_is_wanted(
    listener: type[ApiListener],
) -> None:
    with pytest.raises(ValidationError, match="tokens would be sent in plain text"):
        listener(host="0.0.0.0")
    assert listener(host="0.0.0.0", plain_text=True).asks_for_tokens
    with_tls = {"certificate": Path("c"), "private_key": Path("k")}
    assert listener.model_validate({"host": "0.0.0.0", **with_tls}).asks_for_tokens


def test_certificates_of_agents_need_tls_and_authorities() -> None:
    with pytest.raises(ValidationError, match="client_ca needs TLS"):
        AgentListener(client_ca=Path("ca"))
    with pytest.raises(ValidationError, match="need client_ca"):
        AgentListener(client_certificates="required")
    with_tls = {"certificate": "c", "private_key": "k", "client_ca": "ca"}
    listener = AgentListener.model_validate({**with_tls, "client_certificates": "required"})
    assert listener.asks_for_credentials
    assert not listener.asks_for_tokens


def test_a_certificate_needs_its_key() -> None:
    with pytest.raises(ValidationError, match="go together"):
        ApiListener(certificate=Path("cert.pem"))


def test_the_url_of_a_listener() -> None:
    assert ApiListener().url("http") == "http://127.0.0.1:6680"
    with_tls = {"certificate": Path("c"), "private_key": Path("k")}
    assert AgentListener(host="::1", **with_tls).url("ws") == "wss://[::1]:6650"


def test_the_database_is_in_the_state_directory_unless_told_otherwise() -> None:
    settings = ServerSettings(state_directory=Path("/srv/treadle"))
    assert settings.database_url == "sqlite:////srv/treadle/treadle.db"
    assert settings.database_is_embedded


def test_the_password_goes_into_the_url() -> None:
    database = Database.model_validate(
        {"url": "postgresql://treadle@db.example/treadle", "password": "p@ss/word"}
    )
    settings = ServerSettings(database=database)
    assert settings.database_url == "postgresql+psycopg://treadle:p%40ss%2Fword@db.example/treadle"
    assert not settings.database_is_embedded
    assert "p@ss" not in repr(settings)


def keys(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from keys(inner, f"{prefix}.{name}")
        else:
            yield f"{prefix}.{name}"


def test_the_documentation_lists_every_setting() -> None:
    text = (Path(__file__).parents[3] / "docs" / "server.md").read_text()
    table = "\n".join(line.split("|")[1] for line in text.splitlines() if line.startswith("| `s"))
    assert sorted(re.findall(r"`([a-z._]+)`", table)) == sorted(keys(ServerSettings, "server"))


def test_the_example_of_a_settings_file_is_good() -> None:
    file = Path(__file__).parents[3] / "deploy" / "treadle.toml"
    assert load(ServerSettings, path=file, options={}).log.format == "json"
    assert load(AgentSection, path=file, options={}).server == "ws://127.0.0.1:6650"


def test_the_neutron_api_is_guarded_off_loopback() -> None:
    with pytest.raises(ValidationError, match="only be none on a loopback host"):
        NeutronListener(host="0.0.0.0")
    with pytest.raises(ValidationError, match="passwords and tokens would be sent in plain text"):
        NeutronListener(host="0.0.0.0", authentication="token")
    assert NeutronListener(host="0.0.0.0", authentication="token", plain_text=True)
    with pytest.raises(ValidationError, match="'basic' needs identity_file"):
        NeutronListener(authentication="basic")
    with pytest.raises(ValidationError, match="there is no quota 'colour'"):
        NeutronListener(quotas={"colour": 1})
    assert NeutronListener(quotas={"port": 500}).limits.quotas == {"port": 500}


def test_a_keystone_needs_its_file() -> None:
    with pytest.raises(ValidationError, match="needs keystone_file"):
        NeutronListener(authentication="keystone")
