"""Diagnosis is asked through the API, over the same servers as the API's own tests."""

from tests.unit.api.conftest import client, database, guarded, server

__all__ = ["client", "database", "guarded", "server"]
