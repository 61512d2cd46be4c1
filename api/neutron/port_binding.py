"""Where ports are: what Neutron calls their binding and their status.

Which host a port is to be on is the switch port's `requested_chassis`, by the name of the
chassis or of its host. A port is bound as soon as that is known; whether it is ``ACTIVE`` is
what the agent there says.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from controller.answers import Places, PortPlace
from controller.interface import Controller
from southbound.chassis import DEFAULT_BRIDGE

ACTIVE, BUILD, DOWN = "ACTIVE", "BUILD", "DOWN"
OVS, UNBOUND, FAILED = "ovs", "unbound", "binding_failed"

VNIC_TYPES: Final = (
    "normal",
    "direct",
    "macvtap",
    "baremetal",
    "direct-physical",
    "virtio-forwarder",
    "smart-nic",
    "vdpa",
    "accelerator-direct",
    "accelerator-direct-physical",
    "remote-managed",
)

_VIF_DETAILS: Final = {
    "port_filter": True,
    "ovs_hybrid_plug": False,
    "connectivity": "l2",
}
_WITH_REPRESENTOR: Final = frozenset({"direct", "vdpa"})
"""What is plugged by a port of the switch that stands for it, if the hardware can do that."""

_NOWHERE: Final = PortPlace("", "", up=False)


async def fill_in_binding(controller: Controller, views: Sequence[dict[str, Any]]) -> None:
    """Fill in the status of ports that have none yet, and how they are bound."""
    ports = [view["id"] for view in views if view["status"] is None]
    hosts = {view["binding:host_id"] for view in views} - {""}
    places = Places({}, {}, {})
    if ports or hosts:
        places = await controller.places(ports, sorted(hosts))
    for view in views:
        place = places.ports.get(view["id"], _NOWHERE)
        if view["status"] is None:
            view["status"] = _status(place, enabled=view["admin_state_up"])
        if not view["binding:host_id"]:
            view["binding:host_id"] = place.hostname or place.chassis
        view["binding:vif_type"] = _vif_type(view, place, places.hosts)
        if view["binding:vif_type"] == OVS:
            chassis = places.hosts.get(view["binding:host_id"], place.chassis)
            bridge = places.bridges.get(chassis, DEFAULT_BRIDGE)
            view["binding:vif_details"] = {**_VIF_DETAILS, "bridge_name": bridge}


def _status(place: PortPlace, *, enabled: bool) -> str:
    if not enabled or not place.chassis:
        return DOWN
    return ACTIVE if place.up else BUILD


def _vif_type(view: Mapping[str, Any], place: PortPlace, hosts: Mapping[str, str]) -> str:
    host = view["binding:host_id"]
    if not host:
        return UNBOUND
    is_known = host in hosts or host in (place.hostname, place.chassis)
    return OVS if is_known and _can_be_plugged(view) else FAILED


def _can_be_plugged(view: Mapping[str, Any]) -> bool:
    kind = view["binding:vnic_type"]
    if kind in _WITH_REPRESENTOR:
        capabilities = view["binding:profile"].get("capabilities")
        return isinstance(capabilities, list) and "switchdev" in capabilities
    return bool(kind == "normal")
