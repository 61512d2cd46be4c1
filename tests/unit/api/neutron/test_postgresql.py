"""The Neutron API on PostgreSQL: what it asks the database for works there as well."""

from collections.abc import Iterator

import pytest

from northbound.database import Database, open_database, upgrade
from tests.unit.api.neutron.test_deletion_by_v1 import test_a_network_with_all_that_it_has
from tests.unit.api.neutron.test_ipam import test_addresses_rest_before_they_are_given_out_again
from tests.unit.api.neutron.test_network_ip_availabilities import test_filters_and_pages
from tests.unit.api.neutron.test_networks import test_tags
from tests.unit.api.neutron.test_ports import (
    test_filters_of_fixed_ips,
    test_other_filters,
    test_projects_on_a_shared_network,
)
from tests.unit.api.neutron.test_subnetpools import test_allocations
from tests.unit.api.neutron.test_subnets import (
    test_automatic_addresses_come_and_go_with_their_subnet,
    test_filters_and_sorting,
    test_subnets_of_switches_of_v1,
)
from tests.unit.api.neutron.test_wrong_queries import (
    test_values_of_another_type_and_many_values_are_no_faults,
)
from tests.unit.northbound.postgresql import drop_tables, private_server

pytestmark = pytest.mark.processes

__all__ = [
    "test_a_network_with_all_that_it_has",
    "test_addresses_rest_before_they_are_given_out_again",
    "test_allocations",
    "test_automatic_addresses_come_and_go_with_their_subnet",
    "test_filters_and_pages",
    "test_filters_and_sorting",
    "test_filters_of_fixed_ips",
    "test_other_filters",
    "test_projects_on_a_shared_network",
    "test_subnets_of_switches_of_v1",
    "test_tags",
    "test_values_of_another_type_and_many_values_are_no_faults",
]


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    with private_server() as url:
        yield url


@pytest.fixture
def database(postgresql: str) -> Iterator[Database]:
    """The server's database with an empty schema."""
    drop_tables(postgresql)
    upgrade(postgresql)
    database = open_database(postgresql)
    yield database
    database.close()
