"""What packing a flow group needs to know about its datapath and this chassis."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from chassis_agent.compile.stages import StageBook, UsedStages
from chassis_agent.openflow.messages import Bucket


@dataclass(slots=True, kw_only=True)
class PackContext:
    """The surroundings of a flow group.

    Everything that may change is asked for through a callable, so that a caller
    that records its reads knows exactly what the flows came from.

    `port_key`
        The tunnel key of a logical port, by name. Raises `UnknownPortError`.
    `port_key_here`
        The tunnel key of a port if it is on this datapath, else None. For
        members of port groups, which span datapaths.
    `is_local`
        Whether a port, by name, is bound to this chassis. Patch ports are on
        every chassis.
    `is_resident`
        Whether a gateway port lives on this chassis now.
    `is_alive`
        Whether the neighbour of a BFD session, by its id, is alive.
    `variable`
        What a variable is on this chassis, by its name without sigil; None where it isn't set.
    `members`
        The members of an address set (``$name``) or port group (``@name``), as
        text.
    `is_known`
        Whether it is known which backends a set of them (``&name``) has: not before its rows
        are here, which come after the first flows that name it.
    `conjunction_id`
        A conjunction id for a description of the conjunction; the same
        description gets the same id (`conjunction.ConjunctionIds`).
    `select_group`
        The number of the OpenFlow group that chooses among these buckets by a hash of the
        packet; the same description gets the same number, whatever its buckets. The group
        is wanted from then on, together with the flows. The third are the fields that the hash
        is of, as `SwitchGroup.selection_fields`; without any the datapath's own does.
    `rate_meter`
        The number of the OpenFlow meter of a rate in kbit/s and a burst in kbit; the same
        description gets the same number. The meter is wanted from then on, like a group.
    `packet_meter`
        The same for a rate in packets a second and a burst in packets.
    `rate_queue`
        The number of the queue of a port's interface with a rate in kbit/s and a burst in kbit;
        the same description gets the same number, whatever the rate. The queue is wanted from
        then on. Raises `MissingQueueError` until the database has it. Ports that aren't here
        have no queue but the default one.
    `hit_counter`
        The number of the OpenFlow group that counts what the ACL behind the flow group decides.
        The group is wanted from then on.
    """

    datapath_key: int
    stages: UsedStages
    book: StageBook
    port_key: Callable[[str], int]
    port_key_here: Callable[[str], int | None]
    is_local: Callable[[str], bool]
    is_resident: Callable[[str], bool]
    is_alive: Callable[[str], bool]
    variable: Callable[[str], str | None]
    members: Callable[[str], Iterable[str]]
    is_known: Callable[[str], bool]
    conjunction_id: Callable[[bytes], int]
    select_group: Callable[[bytes, Sequence[Bucket], bytes], int]
    rate_meter: Callable[[bytes, int, int], int]
    packet_meter: Callable[[bytes, int, int], int]
    rate_queue: Callable[[bytes, str, int, int], int]
    hit_counter: Callable[[], int]
