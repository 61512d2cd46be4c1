"""Networks that have been through OVN: ovn-nbctl writes them, ``import-ovn`` reads them back.

What comes back has to say what was written, object by object, and its packets have to
fare as in the OVN that it came from. Packets are sent through one in five of the random
networks of ``--differential-topologies``.
"""

import json
import time
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from cli.import_ovn.database import read_snapshot
from cli.import_ovn.translation import translate
from northbound.documents import Identity, read_document, wanted_objects
from tests.differential.network.judge import Judge, Verdict
from tests.differential.network.packets import random_probes
from tests.differential.network.tally import Tally
from tests.differential.network.topologies import Document, random_topology

SEEDS = range(60)
"""Of networks that are compared object by object."""

ONE_IN = 5
"""The share of random networks that packets are sent through."""

BLOCK = 4
"""Such networks a test."""

PACKETS = 20
"""Packets a network."""

MOST_UNANSWERED = 0.1
"""The share of packets for which ``ovn-trace`` may fail to tell, in one test."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "first_seed" in metafunc.fixturenames:
        topologies = metafunc.config.getoption("--differential-topologies")
        start = metafunc.config.getoption("--differential-seed")
        metafunc.parametrize("first_seed", range(start, start + topologies, BLOCK * ONE_IN))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_network_comes_back_as_it_was_written(judge: Judge, seed: int) -> None:
    written = random_topology(Random(seed))
    imported = _through_ovn(judge, written)
    assert _objects(imported) == _objects(_as_ovn_has_it(written))


def test_packets_fare_as_in_the_ovn_it_came_from(
    judge: Judge, first_seed: int, record_property: Callable[[str, object], None]
) -> None:
    tally = Tally()
    began = time.monotonic()
    for seed in range(first_seed, first_seed + BLOCK * ONE_IN, ONE_IN):
        rng = Random(seed)
        written = random_topology(rng)
        probes = list(random_probes(rng, written, PACKETS))
        verdicts = judge.compare(_through_ovn(judge, written), probes)
        tally.add(verdicts)
        assert [_told(judge, written, each) for each in verdicts if each.is_failure] == [], seed
    tally.seconds = time.monotonic() - began
    record_property("differential", tally.as_document())
    assert tally.unanswered.total() <= tally.packets * MOST_UNANSWERED


def _through_ovn(judge: Judge, written: Document) -> Document:
    """What is imported from an OVN that `written` was put into; without any loss.

    In OVN DHCP options have no names.
    """
    judge.load(written)
    imported = translate(read_snapshot(judge.northbound), "differential")
    assert imported.report.losses == []
    text = json.dumps(imported.document)
    for uuid, options in imported.document["dhcp_options"].items():
        text = text.replace(uuid, _name_of_options(options["cidr"]))
    document: Document = json.loads(text)
    return document


def _name_of_options(cidr: str) -> str:
    """What `services` calls options for a network of a switch."""
    if ":" in cidr:
        return f"dhcpv6-{cidr.split(':')[1]}"
    return f"dhcp-{cidr.split('.')[2]}"


def _told(judge: Judge, written: Document, verdict: Verdict) -> str:
    """A failure, and whether it takes an import."""
    (unimported,) = judge.compare(written, [verdict.probe])
    whose = "without import, too" if unimported.is_failure else "of the import"
    return f"{whose}: {verdict}"


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
        field: sorted(value, key=str) if isinstance(value, list) else value
        for field, value in values.items()
    }


def _as_ovn_has_it(document: Document) -> Document:
    """The matches of ACLs are written in parentheses; ports reside only on provider networks."""
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
    provided = {
        port["router_port"]
        for switch in document["logical_switches"].values()
        if any(port.get("type") == "localnet" for port in switch["ports"].values())
        for port in switch["ports"].values()
        if port.get("type") == "router"
    }
    routers = {
        name: {
            **router,
            "ports": {
                port: values if port in provided else _without(values, "reside_on_redirect_chassis")
                for port, values in router["ports"].items()
            },
        }
        for name, router in document["logical_routers"].items()
    }
    return {**document, **owners, "logical_routers": routers}


def _without(values: dict[str, Any], field: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name != field}
