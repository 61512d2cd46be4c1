"""The rows of realised state, as stored, watched and cached.

The translator and the chassis agents share nothing but these types. Every row
is an immutable record with a key that is unique within its table and one or
more *scopes*: the unit in which an agent subscribes to rows. A row may only be
sent to an agent that subscribed to one of its scopes.

========================  ====================================================
scope                     rows
========================  ====================================================
``global``                :class:`Stage`, :class:`Template`, :class:`Chassis`
``datapath:<id>``         :class:`Datapath`, :class:`PortBinding`,
                          :class:`FlowGroup`, :class:`MacBinding`,
                          :class:`FdbEntry`, :class:`RouterAdvertisement`,
                          :class:`DnsName`, :class:`Announcement`,
                          :class:`BfdSession`, :class:`BfdStatus`,
                          :class:`BackendCheck`, :class:`Translation`
``port:<name or id>``     the :class:`PortBinding` of that name or id, and
                          those that are nested in it
``chassis:<name>``        each :class:`PortBinding` for which the chassis may be elected,
                          and its :class:`ChassisVariable` rows
``set:<sigil and name>``  :class:`SetMember`; of backends also :class:`VirtualAddress`,
                          :class:`BackendCheck` and :class:`BackendStatus`
========================  ====================================================

Addresses are text in their canonical form (lower-case, RFC 5952 for IPv6).
"""

from typing import TypeAlias

from southbound.rows.backends import BackendCheck, BackendStatus, VirtualAddress
from southbound.rows.base import (
    GLOBAL_SCOPE,
    Row,
    RowId,
    chassis_scope,
    datapath_scope,
    port_scope,
    set_scope,
)
from southbound.rows.flows import FlowGroup, SetMember, Stage, Template
from southbound.rows.learned import FdbEntry, MacBinding
from southbound.rows.places import Chassis, Datapath, Encap, PortBinding
from southbound.rows.services import (
    Announcement,
    BfdSession,
    BfdStatus,
    DnsName,
    RouterAdvertisement,
)
from southbound.rows.translations import Translation
from southbound.rows.variables import ChassisVariable

__all__ = [
    "GLOBAL_SCOPE",
    "ROW_TYPES",
    "Announcement",
    "AnyRow",
    "BackendCheck",
    "BackendStatus",
    "BfdSession",
    "BfdStatus",
    "Chassis",
    "ChassisVariable",
    "Datapath",
    "DnsName",
    "Encap",
    "FdbEntry",
    "FlowGroup",
    "MacBinding",
    "PortBinding",
    "RouterAdvertisement",
    "Row",
    "RowId",
    "SetMember",
    "Stage",
    "Template",
    "Translation",
    "VirtualAddress",
    "chassis_scope",
    "datapath_scope",
    "port_scope",
    "set_scope",
]

ROW_TYPES: dict[str, type[Row]] = {
    row.table: row
    for row in (
        Stage,
        Template,
        Chassis,
        Datapath,
        PortBinding,
        FlowGroup,
        SetMember,
        MacBinding,
        FdbEntry,
        RouterAdvertisement,
        DnsName,
        Announcement,
        BfdSession,
        BfdStatus,
        VirtualAddress,
        BackendCheck,
        BackendStatus,
        Translation,
        ChassisVariable,
    )
}

AnyRow: TypeAlias = (
    Stage
    | Template
    | Chassis
    | Datapath
    | PortBinding
    | FlowGroup
    | SetMember
    | MacBinding
    | FdbEntry
    | RouterAdvertisement
    | DnsName
    | Announcement
    | BfdSession
    | BfdStatus
    | VirtualAddress
    | BackendCheck
    | BackendStatus
    | Translation
    | ChassisVariable
)
"""Any row, as a type that msgspec decodes by the table's name."""
