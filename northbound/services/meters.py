"""Meters: limits on what ACLs log."""

from northbound.models import Meter
from northbound.services.base import Service
from northbound.specs.meters import MeterSpec


class MeterService(Service[Meter, MeterSpec]):
    """ACLs that name a meter stand in the way of its deletion."""

    model = Meter
    spec = MeterSpec
