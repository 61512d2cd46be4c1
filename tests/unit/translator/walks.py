"""Packets sent into a translated network, by walking its logical flows."""

from collections.abc import Mapping
from typing import Any

import yaml

from logical_flow.evaluate import Packet
from logical_flow.packet import packet_from_match
from logical_flow.walk import walk
from logical_flow.walk_events import Walk
from logical_flow.walk_network import Network
from tests.translated import Translated


def network(document: str, **learned: Any) -> Network:
    """The network that a document declares; its name may be left out."""
    return Translated.of({"document": "test", **yaml.safe_load(document)}).network(**learned)


def send(net: Network, packet: str | Packet) -> Walk:
    """`packet` is a match that it fits, with its ``inport``; or all of its fields."""
    return walk(net, packet_from_match(packet) if isinstance(packet, str) else packet)


def reached(net: Network, packet: str | Packet) -> list[str]:
    """The ports to which `packet`, or an answer to it, is delivered, sorted."""
    return sorted(delivery.port for delivery in send(net, packet).deliveries)


def delivered(net: Network, packet: str | Packet) -> Mapping[str, Any]:
    """The one packet that is delivered, with the port as ``to``."""
    (delivery,) = send(net, packet).deliveries
    return {**delivery.packet, "to": delivery.port}
