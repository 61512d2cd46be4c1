"""What the routers on a way tell of packets whose hops end there."""

from collections.abc import Sequence

from tests.system import frames
from tests.system.tap import Tap

_TRACED_PORT = 33434


def assert_hops(
    tap: Tap, mac: str, router_mac: str, source: str, target: str, hops: Sequence[str]
) -> None:
    """Assert that the errors about packets with a hop, two hops and so on come from `hops`.

    `source` sends them, whose `tap` this is, and gets what it has sent quoted.
    """
    is_ip4 = "." in target
    write, ethertype = (frames.ipv4, frames.IPV4) if is_ip4 else (frames.ipv6, frames.IPV6)
    expired, ends = (11, slice(12, 20)) if is_ip4 else (3, slice(8, 40))
    for ttl, teller in enumerate(hops, start=1):
        datagram = frames.udp(source, target, 4200 + ttl, _TRACED_PORT)
        packet = write(source, target, frames.UDP, datagram, ttl)
        tap.send(frames.ethernet(router_mac, mac, ethertype, packet))
        error = tap.expect(
            lambda f, teller=teller: f.icmp_type == expired and f.ip_src == teller,  # type: ignore[misc]
            f"the error of {teller}",
        )
        assert error.ip_dst == source
        assert error.l4[8:][ends] == packet[ends], "what it quotes is as it was sent"
