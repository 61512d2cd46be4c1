"""Objects of a Kubernetes cluster, and the port groups, address sets and ACLs they become.

After a change that is meant, run ``pytest tests/golden --update-golden`` and review
the difference.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from integrations.kubernetes.intent import Intent
from integrations.kubernetes.objects import PodKey
from integrations.kubernetes.translation import PortOwner, Translation
from integrations.kubernetes.watched import apply_object

SCENARIOS = sorted((Path(__file__).parent / "network-policies").glob("*.yaml"))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: path.stem)
def test_network_policies(scenario: Path, request: pytest.FixtureRequest) -> None:
    translation = Translation()
    for value in yaml.safe_load_all(scenario.read_text()):
        apply_object(translation, value["kind"], value)
        if value["kind"] == "Pod":
            key = PodKey(value["metadata"]["namespace"], value["metadata"]["name"])
            translation.set_port(str(key), PortOwner(key))
    text = "".join(f"{line}\n" for line in lines(translation))
    golden = scenario.with_suffix(".txt")
    if request.config.getoption("--update-golden"):
        golden.write_text(text)
    assert text == golden.read_text()


def lines(translation: Translation) -> Iterator[str]:
    intent = Intent("kubernetes")
    acls = [intent.acl(acl, users) for acl, users in translation.users.items()]
    groups = [intent.group(group, translation.ports(group)) for group in translation.groups()]
    for group in sorted(groups, key=lambda each: str(each["display_name"])):
        yield f"group {group['name']}"
        yield f"  {group['display_name']}: {', '.join(group['ports']) or 'no pods'}"
        own = [acl for acl in acls if acl["port_group"] == group["id"]]
        if group["name"] == intent.pending_name:
            own = intent.pending_acls()
        for acl in sorted(own, key=_place):
            yield (
                f"  {acl['direction']} tier {acl['tier']}, priority {acl['priority']}: "
                f"{acl['action']}"
            )
            yield f"    {acl['match']}"
            yield f"    of {', '.join(acl['external_ids'].values()) or acl['name']}"
    for networks in sorted(translation.networks()):
        found = intent.address_set(networks)
        yield f"set {found['name']}: {' '.join(found['addresses'])}"
    for key, problems in sorted(translation.problems.items()):
        for problem in problems:
            yield f"problem of {key}: {problem}"


def _place(acl: dict[str, object]) -> tuple[object, ...]:
    return acl["direction"], acl["tier"], -int(str(acl["priority"])), acl["match"]
