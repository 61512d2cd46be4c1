"""Specs of what is known of backends besides their address, and of how they are checked."""

import ipaddress
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from northbound.addresses import parse_host
from northbound.specs.base import FieldError, Reference, Spec, StrictModel, checked
from northbound.specs.declaration import Declaration, Filtered, RefersTo


class HealthCheck(StrictModel):
    """When a backend counts as up: it is asked, and answers.

    TCP is asked by a connection that isn't completed. UDP is asked by an empty datagram: a backend
    that answers, or says nothing, is up; one whose host says that nothing listens is down.
    """

    interval: Annotated[int, Field(ge=1, le=3600)] = 5
    """Seconds from one question to the next."""
    timeout: Annotated[int, Field(ge=1, le=3600)] = 3
    """Seconds after which no answer comes any more."""
    success_count: Annotated[int, Field(ge=1, le=100)] = 2
    """How many answers in a row bring a backend back that was down."""
    failure_count: Annotated[int, Field(ge=1, le=100)] = 3
    """How many questions in a row without one take a backend down that was up."""


class LoadBalancerBackendProperties(Spec):
    """Where a backend is, so that it can be checked."""

    address: Annotated[str, checked(parse_host), Filtered()]
    """The backend's address, as in the `backends` of virtual addresses."""
    logical_port: Annotated[
        Reference, RefersTo("logical_switch_port", by_name=True, holds=False), Filtered()
    ]
    """The port behind which it is. The hypervisor that has the port checks it."""
    source_ip: Annotated[str, checked(parse_host)]
    """The address that the questions come from: one on the port's network that no workload has,
    such as its router's. The backend's answers to it end at its hypervisor."""

    @model_validator(mode="after")
    def _is_of_one_family(self) -> Self:
        address, source = map(ipaddress.ip_address, (self.address, self.source_ip))
        if address.version != source.version:
            raise FieldError("source_ip", f"is not of the family of {address}")
        if address == source:
            raise FieldError("source_ip", "is the backend itself")
        return self


class LoadBalancerBackendSpec(LoadBalancerBackendProperties):
    """A backend of a load balancer's virtual addresses that can be checked."""

    declaration: ClassVar = Declaration(
        "load_balancer_backend",
        "load balancer backends",
        LoadBalancerBackendProperties,
        columns=("load_balancer", "address", "logical_port", "source_ip"),
        example={
            "load_balancer": "shop",
            "address": "10.0.0.11",
            "logical_port": "web-1",
            "source_ip": "10.0.0.254",
        },
        patch={"source_ip": "10.0.0.253"},
        identifying=("load_balancer", "address"),
        natural_key=("load_balancer", "address"),
        collection="backends",
        title="load balancer backend",
    )

    load_balancer: Annotated[Reference, RefersTo("load_balancer", owner=True)]
