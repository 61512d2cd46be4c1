"""In which order what differs is written, where it takes several transactions."""

from typing import Any

from integrations.kubernetes.intent import Intent
from integrations.kubernetes.kept import Kept, Planner
from integrations.kubernetes.objects import PodKey
from integrations.kubernetes.translation import PENDING_GROUP, PortOwner, Translation
from integrations.kubernetes.watched import apply_object, remove_object

PODS = ("moves", "ends", "arrives", "stays")


def apply(translation: Translation, kind: str, name: str, app: str = "", **spec: Any) -> None:
    meta = {"namespace": "shop", "name": name, "uid": name, "labels": {"app": app}}
    apply_object(translation, kind, {"metadata": meta, "spec": spec})


def test_no_port_is_open_between_two_transactions() -> None:
    """Each port is isolated before and after, so it is in some group at any time."""
    translation = Translation()
    intent, kept = Intent("kubernetes"), Kept()
    apply_object(translation, "Namespace", {"metadata": {"name": "shop"}})
    for app in ("a", "b"):
        selector = {"matchLabels": {"app": app}}
        apply(translation, "NetworkPolicy", app, podSelector=selector)
    for name in PODS:
        translation.set_port(f"port of {name}", PortOwner(PodKey("shop", name), name))
        if name != "arrives":
            apply(translation, "Pod", name, "a")
    kept.carried_out(Planner(intent, translation, kept).everything())
    translation.take_touched()

    apply(translation, "Pod", "moves", "b")
    apply(translation, "Pod", "arrives", "b")
    remove_object(translation, "Pod", "shop", "ends")
    planner = Planner(intent, translation, kept)
    operations = planner.touched(translation.take_touched())
    assert operations
    for operation in operations:
        kept.carried_out([operation])
        held = set().union(*kept.groups.values())
        assert held == {f"port of {name}" for name in PODS}, operation
    assert not planner.everything()
    assert kept.groups[intent.group_id(PENDING_GROUP)] == {"port of ends"}
