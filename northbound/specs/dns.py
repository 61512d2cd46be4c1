"""Specs of DNS record sets and their records."""

from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from northbound.addresses import parse_host
from northbound.specs.base import FieldError, ObjectName, Reference, Spec, checked, unique
from northbound.specs.declaration import Declaration, Filtered, RefersTo
from northbound.specs.domain_names import parse_domain_name

MOST_ADDRESSES = 32
LONGEST_TTL = (1 << 31) - 1

DomainName = Annotated[str, checked(parse_domain_name)]


class DnsRecordSetProperties(Spec):
    """Where names are known, and who speaks for them."""

    switches: Annotated[
        list[Reference],
        AfterValidator(unique),
        Field(default_factory=list),
        RefersTo("logical_switch", holds=False),
    ]
    """Names of switches, of the same project: workloads there are answered, whichever server they
    ask. Several record sets of a switch add up."""
    owned: bool = False
    """Whether the record set alone speaks for its names. Otherwise the server that a workload asks
    is passed what the set has no answer to: of its names everything but addresses."""
    domain: DomainName | None = None
    """With `owned`, a domain for which the set speaks as well: a name in it that no record set of
    the switch has does not exist."""
    ttl: Annotated[int, Field(ge=0, le=LONGEST_TTL)] = 60
    """Seconds for which clients may keep an answer."""

    @model_validator(mode="after")
    def _domains_are_owned(self) -> Self:
        if self.domain is not None and not self.owned:
            raise FieldError("domain", "is for a record set that is owned")
        return self


class DnsRecordSetSpec(DnsRecordSetProperties):
    """Names that workloads on some switches can look up."""

    declaration: ClassVar = Declaration(
        "dns_record_set",
        "DNS record sets",
        DnsRecordSetProperties,
        columns=("name", "switches", "owned", "domain", "ttl"),
        example={"name": "corp", "switches": ["web"], "owned": True},
        patch={"ttl": 300},
        title="DNS record set",
    )

    name: ObjectName | None = None


class DnsRecordProperties(Spec):
    """What is known of a name."""

    hostname: Annotated[DomainName, Filtered()]
    """The whole name, without regard to upper and lower case; a record set has it once."""
    addresses: Annotated[
        list[Annotated[str, checked(parse_host)]],
        AfterValidator(unique),
        Field(default_factory=list, max_length=MOST_ADDRESSES),
    ]
    """IPv4 addresses (A records) and IPv6 addresses (AAAA records)."""
    pointer: DomainName | None = None
    """The name that an address has (PTR record); `hostname` is then as in
    `11.0.0.10.in-addr.arpa`."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.addresses and self.pointer is None:
            raise FieldError("addresses", "a record has addresses or a pointer")
        if self.addresses and self.pointer is not None:
            raise FieldError("pointer", "is for records without addresses")
        return self


class DnsRecordSpec(DnsRecordProperties):
    """A name with its addresses, or an address with its name."""

    declaration: ClassVar = Declaration(
        "dns_record",
        "DNS records",
        DnsRecordProperties,
        columns=("dns_record_set", "hostname", "addresses", "pointer"),
        example={
            "dns_record_set": "corp",
            "hostname": "web-1.corp.example",
            "addresses": ["10.0.0.11", "fd00:1::11"],
        },
        patch={"addresses": ["10.0.0.11"]},
        identifying=("dns_record_set", "hostname"),
        natural_key=("dns_record_set", "hostname"),
        collection="records",
        title="DNS record",
    )

    dns_record_set: Annotated[Reference, RefersTo("dns_record_set", owner=True)]


KINDS: tuple[type[Spec], ...] = (DnsRecordSetSpec, DnsRecordSpec)
