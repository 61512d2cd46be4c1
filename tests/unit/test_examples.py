"""The examples in docstrings, of every package."""

import doctest
import importlib
import pkgutil
from collections.abc import Iterator

import pytest

PACKAGES = (
    "api",
    "chassis_agent",
    "cli",
    "controller",
    "diagnosis",
    "incremental",
    "integrations",
    "logical_flow",
    "northbound",
    "southbound",
    "translator",
)


def modules_with_examples() -> Iterator[str]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    for package in PACKAGES:
        root = importlib.import_module(package)
        for info in pkgutil.walk_packages(root.__path__, f"{package}."):
            module = importlib.import_module(info.name)
            if any(test.examples for test in finder.find(module)):
                yield info.name


@pytest.mark.parametrize("name", list(modules_with_examples()))
def test_examples(name: str) -> None:
    # Numbers of tables are written `...`: a stage in between is no difference.
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert result.attempted
    assert result.failed == 0
