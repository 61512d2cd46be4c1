"""Whatever JSON calls itself a pod or a policy: it is read, or told, and never a fault."""

from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from integrations.kubernetes.errors import UnsayableError
from integrations.kubernetes.rules import Policy
from integrations.kubernetes.translation import Translation
from integrations.kubernetes.watched import KINDS, apply_object

NAMES = (
    *("metadata", "name", "namespace", "labels", "annotations", "uid", "spec", "status", "phase"),
    *("podSelector", "namespaceSelector", "matchLabels", "matchExpressions", "key", "operator"),
    *("values", "ingress", "egress", "from", "to", "ports", "port", "endPort", "protocol"),
    *("ipBlock", "cidr", "except", "policyTypes", "subject", "namespaces", "pods", "priority"),
    *("action", "networks", "portNumber", "portRange", "namedPort", "start", "end"),
    *("containers", "initContainers", "containerPort", "hostNetwork", "restartPolicy"),
)
TEXTS = ("web", "In", "Exists", "Ingress", "TCP", "Allow", "Deny", "Pass", "10.0.0.0/8", "::/0", "")

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 70_000), st.sampled_from(TEXTS), st.text(max_size=5)
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    ),
    max_leaves=15,
)


def objects() -> st.SearchStrategy[dict[str, Any]]:
    def build(spec: Any, more: dict[str, Any], named: bool) -> dict[str, Any]:
        meta = {"name": "a", "namespace": "red"}
        return {**more, "spec": spec, **({"metadata": meta} if named else {})}

    specs = st.dictionaries(st.sampled_from(NAMES), values, max_size=6) | values
    more = st.dictionaries(st.sampled_from(NAMES), values, max_size=3)
    return st.builds(build, specs, more, st.booleans() | st.just(True))


@given(st.sampled_from(sorted(KINDS)), objects())
def test_anything_is_read_or_told(kind: str, value: dict[str, Any]) -> None:
    translation = Translation()
    translation.set_namespace("red", {})
    translation.set_policy(Policy("other", ()))
    with suppress(UnsayableError):
        apply_object(translation, kind, value)
    assert "other" in {policy.key for policy in translation.policies()}
