"""How switches are told to do each logical action: one encoder an action.

:data:`ENCODERS` has all of them. Tables that stages lead to, ports and arguments are gaps
in the bytes, filled for each flow (`chassis_agent.compile.splice`).
"""

from collections.abc import Iterable, Mapping
from typing import Final

from chassis_agent.compile.encoders import (
    assignment,
    balancing,
    control,
    dhcp,
    generated,
    learned,
    liveness,
    naming,
    selection,
    sizes,
    tracking,
    watching,
)
from chassis_agent.compile.encoders.encoding import Encoder, Encoding
from chassis_agent.compile.splice import Assembly
from logical_flow import action as logical
from logical_flow.action.liveness import HandleBfd
from logical_flow.action.naming import DnsLookup
from logical_flow.action.sizes import CheckPktLarger, PacketTooBig

ENCODERS: Final[Mapping[type[logical.Action], Encoder]] = {
    logical.Next: control.encode_next,
    logical.Output: control.encode_output,
    logical.Drop: control.encode_drop,
    logical.Clone: control.encode_clone,
    logical.Assign: assignment.encode_assign,
    logical.Move: assignment.encode_move,
    logical.Exchange: assignment.encode_exchange,
    logical.DecrementTtl: assignment.encode_decrement_ttl,
    logical.CtNext: tracking.encode_ct_next,
    logical.CtCommit: tracking.encode_ct_commit,
    logical.CtClear: tracking.encode_ct_clear,
    logical.CtNat: tracking.encode_ct_nat,
    logical.Balance: balancing.encode_balance,
    logical.Generate: generated.encode_generate,
    logical.DhcpReply: dhcp.encode_dhcp_reply,
    logical.GetNeighbour: learned.encode_get_neighbour,
    logical.PutNeighbour: learned.encode_put_neighbour,
    logical.LookupNeighbour: learned.encode_lookup_neighbour,
    logical.LookupAddress: learned.encode_lookup_address,
    logical.GetFdb: learned.encode_get_fdb,
    logical.PutFdb: learned.encode_put_fdb,
    logical.BackendAnswer: learned.encode_backend_answer,
    logical.ClaimAddress: learned.encode_claim_address,
    logical.LookupFdb: learned.encode_lookup_fdb,
    CheckPktLarger: sizes.encode_check_pkt_larger,
    PacketTooBig: sizes.encode_packet_too_big,
    HandleBfd: liveness.encode_handle_bfd,
    DnsLookup: naming.encode_dns_lookup,
    logical.Select: selection.encode_select,
    logical.Log: watching.encode_log,
    logical.SetMeter: watching.encode_set_meter,
    logical.SetQueue: watching.encode_set_queue,
}


def encode_actions(
    actions: Iterable[logical.Action],
    pipeline: str,
    stage: str,
    positions: Mapping[str, int],
    template: int = 0,
) -> Assembly:
    """Return the OpenFlow actions of one template; `positions` of its holes' arguments.

    `template` is the template's id.
    """
    return Encoding(pipeline, stage, positions, ENCODERS, template).encode(actions)
