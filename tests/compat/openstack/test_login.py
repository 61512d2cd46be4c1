"""``openstack``, unmodified, logs in at the server's own Keystone, in each way that there is."""

from collections.abc import Iterator

import pytest

from tests.compat.neutron.endpoints import PASSWORD, endpoint, log_in
from tests.compat.openstack.client import Openstack, openstack

pytestmark = [pytest.mark.compat, pytest.mark.processes, pytest.mark.timeout(300)]

_DOMAINS = ("--os-user-domain-name", "Default", "--os-project-domain-name", "Default")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with endpoint("treadle", tmp_path_factory.mktemp("treadle")) as api:
        yield api.url


@pytest.fixture
def administrator(url: str) -> Iterator[Openstack]:
    login = ("--os-username", "administrator", "--os-password", PASSWORD)
    project = ("--os-project-name", "default", *_DOMAINS)
    with openstack("--os-auth-url", f"{url}/identity", *login, *project) as client:
        yield client


def test_by_password(administrator: Openstack, url: str) -> None:
    token = administrator.json("token issue")
    assert token["project_id"] == "default"
    catalog = {each["Type"]: each for each in administrator.json("catalog list")}
    assert set(catalog) == {"identity", "network"}
    names = {each["Name"] for each in administrator.json("project list")}
    assert names == {"default", "acme"}
    assert administrator.json("project show acme")["id"] == "acme"
    assert administrator.json("user show tenant")["name"] == "tenant"
    assert "member" in {each["Name"] for each in administrator.json("role list")}
    administrator.json("network create lan --project acme")
    with openstack(
        "--os-auth-type", "admin_token", "--os-endpoint", url, "--os-token", log_in(url, "tenant")
    ) as tenant:
        assert [each["Name"] for each in tenant.json("network list")] == ["lan"]
    administrator("network delete lan")


def test_quotas_of_projects_by_name(administrator: Openstack, url: str) -> None:
    administrator("quota set --networks 0 acme")
    token = ("--os-endpoint", url, "--os-token", log_in(url, "tenant"))
    with openstack("--os-auth-type", "admin_token", *token) as tenant:
        assert "Quota exceeded for resources: ['network']" in tenant.refusal("network create lan")
    administrator("quota set --networks 3 acme")
    shown = {
        row["Resource"]: row["Limit"] for row in administrator.json("quota show acme --network")
    }
    assert (shown["networks"], shown["routers"]) == (3, -1)
    (listed,) = administrator.json("quota list --network")
    assert (listed["Project ID"], listed["Networks"], listed["Routers"]) == ("acme", 3, -1)
    usage = {row["Resource"]: row for row in administrator.json("quota show --usage --network")}
    assert usage["networks"]["In Use"] == 0
    administrator("quota delete --network acme")
    shown = {
        row["Resource"]: row["Limit"] for row in administrator.json("quota show acme --network")
    }
    assert shown["networks"] == -1


def test_by_token(url: str) -> None:
    login = ("--os-auth-type", "v3token", "--os-auth-url", f"{url}/identity/v3")
    token = ("--os-token", log_in(url, "tenant"), "--os-project-id", "acme")
    with openstack(*login, *token) as client:
        assert client.json("network list") == []
        assert client.json("token issue")["project_id"] == "acme"


def test_by_application_credential(url: str) -> None:
    login = ("--os-auth-type", "v3applicationcredential", "--os-auth-url", f"{url}/identity")
    credential = ("--os-application-credential-id", "tenant.program")
    secret = ("--os-application-credential-secret", PASSWORD)
    with openstack(*login, *credential, *secret) as client:
        assert client.json("network list") == []
        assert client.json("token issue")["project_id"] == "acme"


def test_a_wrong_password(url: str) -> None:
    login = ("--os-username", "tenant", "--os-password", "wrong", "--os-project-name", "acme")
    with openstack("--os-auth-url", f"{url}/identity", *login, *_DOMAINS) as client:
        assert "401" in client.refusal("network list")
