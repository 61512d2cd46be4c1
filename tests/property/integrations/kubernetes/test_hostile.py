"""Whatever JSON calls itself a pod or a policy: it is read, or told, and never a fault."""

import copy
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.kubernetes.errors import UnsayableError
from integrations.kubernetes.rules import Policy
from integrations.kubernetes.translation import Translation
from integrations.kubernetes.watched import apply_object
from tests.property.integrations.kubernetes import clusters

Path = tuple[str | int, ...]

TEXTS = ("web", "In", "Ingress", "TCP", "Allow", "10.0.0.0/8", "10.0.0.0/99", "::/0", "")

values = st.recursive(
    st.one_of(
        *(st.none(), st.booleans(), st.integers(-5, 70_000)),
        *(st.sampled_from(TEXTS), st.text(max_size=5)),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.text(max_size=5), inner, max_size=2)
    ),
    max_leaves=4,
)


def paths(value: Any, here: Path = ()) -> Iterator[Path]:
    """The places of all values within a value."""
    yield here
    if isinstance(value, dict | list):
        for name, held in value.items() if isinstance(value, dict) else enumerate(value):
            yield from paths(held, (*here, name))


@st.composite
def spoiled(draw: st.DrawFn, valid: st.SearchStrategy[Any]) -> Any:
    """A valid object of which something is something else, or has one more field."""
    value = {"": copy.deepcopy(draw(valid))}
    place = draw(st.sampled_from([each for each in paths(value) if len(each) > 1]))
    holder: Any = value
    for name in place[:-1]:
        holder = holder[name]
    odd = draw(values)
    if isinstance(holder[place[-1]], dict) and draw(st.booleans()):
        holder[place[-1]][draw(st.text(max_size=5))] = odd
    else:
        holder[place[-1]] = odd
    return value[""]


objects = st.one_of(
    st.tuples(st.just("Pod"), spoiled(clusters.pods())),
    st.tuples(st.just("NetworkPolicy"), spoiled(clusters.network_policies())),
    st.tuples(st.just("AdminNetworkPolicy"), spoiled(clusters.admin_policies())),
    st.tuples(st.just("BaselineAdminNetworkPolicy"), spoiled(clusters.baseline_policies())),
)


@given(objects)
@settings(max_examples=400)
def test_anything_is_read_or_told(drawn: tuple[str, Any]) -> None:
    kind, value = drawn
    translation = Translation()
    translation.set_namespace("red", {})
    translation.set_policy(Policy("other", ()))
    with suppress(UnsayableError):
        apply_object(translation, kind, value)
    assert "other" in {policy.key for policy in translation.policies()}
