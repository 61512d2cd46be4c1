"""Paths and queries that no database would take as they are: refused, or nothing is found."""

from collections.abc import Iterator

from api.neutron.query import MAXIMUM_VALUES
from api.neutron.resources import Resources
from api.neutron.settings import NeutronLimits
from tests.unit.api.neutron.conftest import Neutron

HUGE = "9" * 30
RESOURCES = Resources.make(NeutronLimits()).all
NAMES = [
    (resource.path, attribute.name)
    for resource in RESOURCES
    for attribute in [*resource.attributes.by_name.values(), *resource.filters]
    if attribute.filtered
]


def with_nul() -> Iterator[str]:
    for resource in RESOURCES:
        yield from (f"{resource.path}/%00", f"{resource.path}?fields=%00")
    yield from (f"{path}?{name}=a%00" for path, name in NAMES)
    yield from ("networks?tags=%00", "ports?fixed_ips=subnet_id=%00", "networks?marker=%00")
    yield from ("agents/%00", "quotas/%00", "networks/%00/tags", "networks?%00=")


def of_another_type() -> Iterator[str]:
    for path, name in NAMES:
        yield from (f"{path}?{name}={value}" for value in (HUGE, "x", "-1"))


def many() -> Iterator[str]:
    for path, name in NAMES:
        pairs = (f"{name}=True" for _ in range(MAXIMUM_VALUES))
        yield f"{path}?{'&'.join(pairs)}"
    values = range(MAXIMUM_VALUES)
    hosts = "&".join(f"binding:host_id=hv{i}" for i in values)
    addresses = "&".join(f"fixed_ips=ip_address=10.0.{i >> 8}.{i & 255}" for i in values)
    yield from (f"ports?{hosts}", f"ports?{addresses}")
    tags = ",".join(f"t{i}" for i in range(3000))
    yield from (f"networks?{name}={tags}" for name in ("tags", "tags-any", "not-tags"))


async def test_nul_is_refused(neutron: Neutron) -> None:
    for path in with_nul():
        message = await neutron.refused(400, "HTTPBadRequest", "GET", path)
        assert "NUL" in message, path


async def test_values_of_another_type_and_many_values_are_no_faults(neutron: Neutron) -> None:
    await neutron.make("networks", name="blue")
    for path in [*of_another_type(), *many()]:
        answer = await neutron.call("GET", path)
        assert answer.status_code in (200, 400), (path[:100], answer.text)
