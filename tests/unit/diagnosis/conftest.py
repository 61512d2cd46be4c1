"""Diagnosis is asked through the API, over the same servers as the API's own tests."""

from tests.unit.api.conftest import client, database, empty_database, guarded, server

__all__ = ["client", "database", "empty_database", "guarded", "server"]
