"""The fields of packets by which one of several is chosen: backends, next hops."""

from typing import Annotated, Literal

from pydantic import AfterValidator

from northbound.specs.base import unique

SelectionField = Literal["eth_dst", "eth_src", "ip_dst", "ip_proto", "ip_src", "tp_dst", "tp_src"]
"""Addresses and ports are those of either family, and of any protocol that has some."""

RoutedField = Literal["ip_dst", "ip_proto", "ip_src", "tp_dst", "tp_src"]
"""Those that a packet still has as it was sent once a route was found for it."""

SelectionFields = Annotated[list[SelectionField], AfterValidator(unique), AfterValidator(sorted)]

RoutedFields = Annotated[list[RoutedField], AfterValidator(unique), AfterValidator(sorted)]
