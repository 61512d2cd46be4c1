"""Rows and facts in SQL. Synchronous: callers run it in a thread."""

from sqlalchemy import Engine


class Store:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
