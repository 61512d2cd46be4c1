"""What a router answers to packets for an address of its own, as parts of matches and actions."""

OWN4, OWN6 = "ip4.dst == {ip:ip4}", "ip6.dst == {ip:ip6}"
LINK_LOCAL6 = f"inport == {{port:lport}} && {OWN6}"
"""Link-local addresses mean something at their own port only."""
UDP, TCP, SCTP = (f"!ip.later_frag && {protocol}" for protocol in ("udp", "tcp", "sctp"))
ECHO6 = "icmp6.type == 128 && icmp6.code == 0"

_BACK4 = "eth.dst <-> eth.src; ip4.dst <-> ip4.src;"
_BACK6 = "eth.dst <-> eth.src; ip6.dst <-> ip6.src;"
ECHO_REPLY4 = "ip4.dst <-> ip4.src; ip.ttl = 255; icmp4.type = 0; flags.loopback = 1; next;"
ECHO_REPLY6 = "ip6.dst <-> ip6.src; ip.ttl = 255; icmp6.type = 129; flags.loopback = 1; next;"
RESET4, RESET6 = (f"tcp_reset {{ {back} next; }};" for back in (_BACK4, _BACK6))
ABORT4, ABORT6 = (f"sctp_abort {{ {back} next; }};" for back in (_BACK4, _BACK6))


def _error4(kind: int, code: int) -> str:
    error = f"ip.ttl = 255; icmp4.type = {kind}; icmp4.code = {code};"
    return f"icmp4 {{ {_BACK4} {error} next; }};"


def _error6(kind: int, code: int) -> str:
    error = f"ip.ttl = 255; icmp6.type = {kind}; icmp6.code = {code};"
    return f"icmp6 {{ {_BACK6} {error} next; }};"


PORT_UNREACHABLE4, UNKNOWN_PROTOCOL4 = _error4(3, 3), _error4(3, 2)
PORT_UNREACHABLE6 = _error6(1, 4)
UNKNOWN_HEADER6 = f"icmp6_unknown_header {{ {_BACK6} ip.ttl = 255; next; }};"
