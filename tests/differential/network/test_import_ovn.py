"""Networks that have been through OVN: ovn-nbctl writes them, ``import-ovn`` reads them back.

What comes back has to say what was written, object by object.
"""

from random import Random
from typing import Any

import pytest

from cli.import_ovn.database import read_snapshot
from cli.import_ovn.translation import translate
from northbound.documents import Identity, read_document, wanted_objects
from tests.differential.network.judge import Judge
from tests.differential.network.topologies import Document, random_topology

SEEDS = range(60)
"""Of networks that are compared object by object."""


@pytest.mark.parametrize("seed", SEEDS)
def test_a_network_comes_back_as_it_was_written(judge: Judge, seed: int) -> None:
    written = random_topology(Random(seed))
    judge.load(written)
    imported = translate(read_snapshot(judge.northbound), "differential")
    assert imported.report.losses == []
    assert _objects(imported.document) == _objects(_as_ovn_has_it(written))


def _objects(document: Document) -> dict[str, dict[Identity, dict[str, Any]]]:
    """All objects of a document, in canonical form and whatever their order."""
    found = wanted_objects(read_document(document))
    return {
        kind: {identity: _sorted(wanted.values) for identity, wanted in objects.items()}
        for kind, objects in found.items()
    }


def _sorted(values: dict[str, Any]) -> dict[str, Any]:
    """OVSDB's sets have no order."""
    return {
        field: sorted(value) if isinstance(value, list) else value
        for field, value in values.items()
    }


def _as_ovn_has_it(document: Document) -> Document:
    """The matches of ACLs are written in parentheses."""
    owners = {
        kind: {
            name: {
                **owner,
                "acls": [{**acl, "match": f"({acl['match']})"} for acl in owner.get("acls", [])],
            }
            for name, owner in document[kind].items()
        }
        for kind in ("logical_switches", "port_groups")
    }
    return {**document, **owners}
