"""A router between two VMs inside and a host outside: on one chassis, or with a gateway port."""

EDGE = """
logical_switches:
  in:
    ports:
      vm1: {addresses: ["0a:00:00:00:01:01 10.0.1.1 fd00:1::1"]}
      vm2: {addresses: ["0a:00:00:00:01:02 10.0.1.2 fd00:1::2"]}
      in-r: {router_port: r-in}
  out:
    ports:
      host: {addresses: ["0a:00:00:00:02:09 192.0.2.9 2001:db8::9"]}
      out-r: {router_port: r-out}
logical_routers:
  r:
    chassis: hv1
    ports:
      r-in: {networks: [10.0.1.254/24, "fd00:1::fe/64"], mac: "0a:00:00:00:01:fe"}
      r-out: {networks: [192.0.2.254/24, "2001:db8::fe/64"], mac: "0a:00:00:00:02:fe"}
"""
"""The router is on a chassis. What it has besides, and other sections, may be added at the end."""
MACS = {
    "vm1": ("0a:00:00:00:01:01", "0a:00:00:00:01:fe"),
    "vm2": ("0a:00:00:00:01:02", "0a:00:00:00:01:fe"),
    "host": ("0a:00:00:00:02:09", "0a:00:00:00:02:fe"),
}
"""Of who sends, and of the router as its next hop."""


def without_gateway(document: str) -> str:
    """Return the same with a router that is everywhere."""
    return document.replace("    chassis: hv1\n", "")


def at_gateway_port(document: str) -> str:
    """Return the same with a router that is everywhere, and a gateway port towards outside."""
    return without_gateway(document).replace(
        'mac: "0a:00:00:00:02:fe"}',
        'mac: "0a:00:00:00:02:fe", gateway_chassis: [{chassis: hv1, priority: 10}]}',
    )


def packet(port: str, src: str, dst: str, what: str) -> str:
    """Return what a packet is that a port sends to its router; `what` it is above IP."""
    own, gateway = MACS[port]
    family = "ip6" if ":" in dst else "ip4"
    return (
        f'inport == "{port}" && eth.src == {own} && eth.dst == {gateway} '
        f"&& {family}.src == {src} && {family}.dst == {dst} && ip.ttl == 64 && {what}"
    )
