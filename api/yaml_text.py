"""YAML from strangers: plain data, no key twice, and aliases only within reason."""

from collections.abc import Hashable
from typing import Any

import yaml

from api.errors import UnreadableBodyError
from northbound.errors import InvalidError

MAXIMUM_NODES = 2_000_000
"""How many values a document may have once its aliases are written out."""


def parse_mapping(text: str) -> dict[Hashable, Any]:
    """`text` as a mapping.

    >>> parse_mapping("document: shop")
    {'document': 'shop'}
    """
    loader = yaml.CSafeLoader(text)
    try:
        node = loader.get_single_node()
        _Check().visit(node)
        value = loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        at = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise UnreadableBodyError(f"not YAML: {error.problem}{at}") from error
    except (yaml.YAMLError, ValueError) as error:
        raise UnreadableBodyError(f"not YAML: {error}") from error
    except RecursionError as error:
        raise UnreadableBodyError("nested too deeply") from error
    finally:
        loader.dispose()
    if not isinstance(value, dict):
        raise InvalidError.of(reason="a document is a mapping")
    return value


class _Check:
    """Looks at every node as often as it is used."""

    def __init__(self) -> None:
        self._left = MAXIMUM_NODES

    def visit(self, node: yaml.Node | None) -> None:
        self._left -= 1
        if self._left < 0:
            raise UnreadableBodyError("its aliases make the document too large")
        if isinstance(node, yaml.MappingNode):
            self._refuse_repetition(node)
            for key, value in node.value:
                self.visit(key)
                self.visit(value)
        elif isinstance(node, yaml.SequenceNode):
            for value in node.value:
                self.visit(value)

    def _refuse_repetition(self, node: yaml.MappingNode) -> None:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.MarkedYAMLError(
                        problem=f"the key {key.value!r} is given twice",
                        problem_mark=key.start_mark,
                    )
                seen.add(key.value)
