"""Print what Neutron itself declares of the attributes of its resources, as JSON.

A script for an environment with neutron (``tests/compat/requirements/neutron.txt``), where it
asks neutron-lib's definitions and the extensions that neutron still declares by itself, such
as security groups. `definitions.json` beside it is its output:

``core``
    Attributes that are there whatever extensions are: collection, attribute, facts.
``extensions``
    By alias, what an extension adds or changes: ``attributes`` like ``core``, ``requires``
    other aliases, ``actions`` (member actions and their methods), and ``own`` collections,
    which are there only with it.

Facts of an attribute are those of neutron-lib: ``allow_post``, ``allow_put``, ``is_visible``,
``is_filter``, ``is_sort_key``, ``default`` (left out where the attribute is required or has
none; ``"UNSET"`` stands for neutron-lib's marker of an attribute that wasn't given),
``validate`` (validator to its argument), and ``convert_to`` as the name of the converter.
"""

import importlib
import json
import pkgutil
import sys
from importlib.metadata import version
from typing import Any

import neutron.extensions
from neutron.db.migration.models import head  # noqa: F401 - standard attributes are of all models
from neutron_lib import constants
from neutron_lib.api import attributes, extensions

COLLECTIONS = (
    "networks",
    "subnets",
    "subnetpools",
    "ports",
    "routers",
    "security_groups",
    "security_group_rules",
    "address_groups",
    "address_scopes",
    "agents",
    "availability_zones",
    "network_ip_availabilities",
    "quotas",
    "default_security_group_rules",
    "rbac_policies",
    "floatingips",
    "trunks",
)


def plain(value: Any) -> Any:
    """A value as JSON can say it: functions by their name, markers by words."""
    if value is constants.ATTR_NOT_SPECIFIED:
        return "UNSET"
    if callable(value):
        return getattr(value, "__name__", None) or value.func.__name__
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted(plain(item) for item in value)
    return value


def of_collections(resources: dict[str, Any]) -> dict[str, Any]:
    """The collections that are asked for, each with its attributes."""
    return {
        name: {attribute: plain(facts) for attribute, facts in sorted(resources[name].items())}
        for name in COLLECTIONS
        if resources.get(name)
    }


def extension_classes() -> list[type[extensions.ExtensionDescriptor]]:
    """The extensions that neutron's own extension manager would load."""
    classes = []
    for module in pkgutil.iter_modules(neutron.extensions.__path__):
        loaded = importlib.import_module(f"neutron.extensions.{module.name}")
        name = module.name[0].upper() + module.name[1:]
        if hasattr(loaded, name):
            classes.append(getattr(loaded, name))
    return classes


def facts_of(extension: type[extensions.ExtensionDescriptor]) -> dict[str, Any]:
    """What an extension adds, with what it declares as its own in the same module."""
    module = importlib.import_module(extension.__module__)
    declared = dict(extension().get_extended_resources("2.0"))
    own = getattr(getattr(module, "apidef", None), "RESOURCE_ATTRIBUTE_MAP", None) or getattr(
        module, "RESOURCE_ATTRIBUTE_MAP", {}
    )
    for collection, items in own.items():
        declared.setdefault(collection, items)
    actions = getattr(getattr(module, "apidef", None), "ACTION_MAP", {})
    return {
        "updated": extension.get_updated(),
        "requires": sorted(extension().get_required_extensions() or ()),
        "actions": plain(actions),
        "attributes": of_collections(declared),
    }


def main() -> None:
    known = {extension.get_alias(): facts_of(extension) for extension in extension_classes()}
    document = {
        "versions": {name: version(name) for name in ("neutron", "neutron-lib")},
        "core": of_collections(attributes.RESOURCES),
        "extensions": dict(sorted(known.items())),
    }
    json.dump(document, sys.stdout, indent=1, sort_keys=True)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
