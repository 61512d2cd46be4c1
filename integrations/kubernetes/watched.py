"""The kinds of objects that are watched, and how each is taken into a translation."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from integrations.kubernetes.admin_policies import parse_admin_policy, parse_baseline_policy
from integrations.kubernetes.errors import UnsayableError
from integrations.kubernetes.objects import PodKey, parse_name, parse_namespace, parse_pod
from integrations.kubernetes.policies import parse_network_policy
from integrations.kubernetes.reading import Json
from integrations.kubernetes.translation import Translation


class Kind(NamedTuple):
    """A kind of objects of the API: where it is, and what it is to a translation."""

    name: str
    path: str
    apply: Callable[[Translation, Json], None]
    remove: Callable[[Translation, str, str], None]
    """By namespace and name."""
    is_optional: bool = False
    """Whether a cluster may lack it: it is defined by a CustomResourceDefinition."""


def apply_object(translation: Translation, kind: str, value: Mapping[str, Any]) -> None:
    """Take an object in as it is now.

    Raises UnsayableError for one of which nothing can be read; it is then as if it weren't there.
    """
    of_kind = KINDS[kind]
    try:
        of_kind.apply(translation, value)
    except UnsayableError:
        namespace, name, _ = parse_name(value)
        of_kind.remove(translation, namespace, name)
        raise


def remove_object(translation: Translation, kind: str, namespace: str, name: str) -> None:
    """Take in the end of an object."""
    KINDS[kind].remove(translation, namespace, name)


def _apply_pod(translation: Translation, value: Json) -> None:
    translation.set_pod(parse_pod(value))


def _remove_pod(translation: Translation, namespace: str, name: str) -> None:
    translation.remove_pod(PodKey(namespace, name))


def _apply_namespace(translation: Translation, value: Json) -> None:
    translation.set_namespace(*parse_namespace(value))


def _remove_namespace(translation: Translation, _namespace: str, name: str) -> None:
    translation.set_namespace(name, None)


def _apply_network_policy(translation: Translation, value: Json) -> None:
    translation.set_policy(parse_network_policy(value))


def _remove_network_policy(translation: Translation, namespace: str, name: str) -> None:
    translation.remove_policy(f"NetworkPolicy {namespace}/{name}")


def _apply_admin_policy(translation: Translation, value: Json) -> None:
    translation.set_policy(parse_admin_policy(value))


def _remove_admin_policy(translation: Translation, _namespace: str, name: str) -> None:
    translation.remove_policy(f"AdminNetworkPolicy {name}")


def _apply_baseline_policy(translation: Translation, value: Json) -> None:
    translation.set_policy(parse_baseline_policy(value))


def _remove_baseline_policy(translation: Translation, _namespace: str, name: str) -> None:
    translation.remove_policy(f"BaselineAdminNetworkPolicy {name}")


_ADMIN: Final = "/apis/policy.networking.k8s.io/v1alpha1"

KINDS: Final[Mapping[str, Kind]] = {
    kind.name: kind
    for kind in (
        Kind("Namespace", "/api/v1/namespaces", _apply_namespace, _remove_namespace),
        Kind("Pod", "/api/v1/pods", _apply_pod, _remove_pod),
        Kind(
            "NetworkPolicy",
            "/apis/networking.k8s.io/v1/networkpolicies",
            _apply_network_policy,
            _remove_network_policy,
        ),
        Kind(
            "AdminNetworkPolicy",
            f"{_ADMIN}/adminnetworkpolicies",
            _apply_admin_policy,
            _remove_admin_policy,
            is_optional=True,
        ),
        Kind(
            "BaselineAdminNetworkPolicy",
            f"{_ADMIN}/baselineadminnetworkpolicies",
            _apply_baseline_policy,
            _remove_baseline_policy,
            is_optional=True,
        ),
    )
}
