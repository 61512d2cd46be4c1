"""Which bridges of this host lead to provider networks. Pure.

Operators say it in the ``external_ids`` of the Open vSwitch database, where those of OVN do:
``treadle-bridge-mappings`` (or ``ovn-bridge-mappings``) is a list of ``NETWORK:BRIDGE``. The
bridges are theirs. A port of a switch that leads outside is joined to one by a pair of patch
ports (:mod:`chassis_agent.derivations.provider`); the one of the integration bridge names it.
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from chassis_agent.ovsdb.rows import OWNER
from chassis_agent.ovsdb.view import Bridge, SwitchView
from southbound.provider_macs import MAC_MAPPINGS, unread_mappings

BRIDGE_MAPPINGS: Final = "bridge-mappings"
PORT_ID: Final = "treadle-localnet-port"
"""The key of ``external_ids`` of a patch port that names the logical port it stands for."""


class ProviderBridges(NamedTuple):
    """`bridges` are those that there are, by network; `missing` those that aren't, likewise.

    `problems` say what of the setting can't be read. `mtu` is the largest of the interfaces that
    the bridges have, 0 without any. `patches` are the bridges on which agents' patch ports stand
    that lead to an integration bridge, by the names of these ports.
    """

    bridges: Mapping[str, str] = {}
    missing: Mapping[str, str] = {}
    problems: tuple[str, ...] = ()
    mtu: int = 0
    patches: Mapping[str, str] = {}

    def why_not(self, network: str) -> str:
        """Say why packets don't get to a network from here; empty if they do."""
        if network in self.bridges:
            return ""
        if network in self.missing:
            return f"bridge {self.missing[network]}, which is to lead to {network}, does not exist"
        return f"no bridge leads to {network}: treadle-bridge-mappings has none for it"


def provider_bridges(view: SwitchView) -> ProviderBridges:
    """Read which bridges lead to which networks.

    >>> view = SwitchView({"ovn-bridge-mappings": "dc:br-dc, x"}, {"br-dc": Bridge("br-dc")})
    >>> provider_bridges(view)
    ProviderBridges(bridges={'dc': 'br-dc'}, missing={}, problems=("'x' is no NETWORK:BRIDGE",), \
mtu=0, patches={})
    """
    ids = view.external_ids
    text = ids.get(f"treadle-{BRIDGE_MAPPINGS}") or ids.get(f"ovn-{BRIDGE_MAPPINGS}") or ""
    bridges: dict[str, str] = {}
    missing: dict[str, str] = {}
    problems = []
    for part in filter(None, map(str.strip, text.split(","))):
        network, colon, bridge = part.partition(":")
        if not (network and colon and bridge):
            problems.append(f"{part!r} is no NETWORK:BRIDGE")
        elif network in bridges or network in missing:
            problems.append(f"{network} is mapped twice")
        elif bridge in view.bridges:
            bridges[network] = bridge
        else:
            missing[network] = bridge
    macs = ids.get(f"treadle-{MAC_MAPPINGS}") or ids.get(f"ovn-{MAC_MAPPINGS}") or ""
    problems += (f"{part!r} is no NETWORK:MAC" for part in unread_mappings(macs))
    interfaces = [
        interface
        for name in bridges.values()
        for interface in view.bridges[name].interfaces.values()
    ]
    mtu = max((interface.mtu or 0 for interface in interfaces), default=0)
    return ProviderBridges(bridges, missing, tuple(problems), mtu, dict(_patches(view)))


def _patches(view: SwitchView) -> Iterator[tuple[str, str]]:
    for bridge in view.bridges.values():
        for interface in bridge.interfaces.values():
            ids = interface.external_ids
            if interface.type == "patch" and OWNER in ids and PORT_ID not in ids:
                yield interface.name, bridge.name


def outside_ports(bridge: Bridge) -> Iterator[tuple[str, int]]:
    """Yield the logical ports that patch ports of the integration bridge stand for.

    Each comes with the OpenFlow number of its patch port.
    """
    for interface in bridge.interfaces.values():
        port = interface.external_ids.get(PORT_ID)
        if port and interface.type == "patch" and interface.is_plugged:
            yield port, interface.ofport or 0
