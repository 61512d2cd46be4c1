"""Announcements as they are on the wire, read by code that isn't the product's."""

from chassis_agent.announcing.frames import announcement
from tests.system import frames

MAC = "0a:00:00:00:00:07"


def test_gratuitous_arp() -> None:
    made = announcement(frames.mac(MAC), frames.ip("192.0.2.7"), router=True)
    payload = frames.arp(1, MAC, "192.0.2.7", "00:00:00:00:00:00", "192.0.2.7")
    assert made == frames.ethernet(frames.BROADCAST, MAC, frames.ARP, payload)


def test_rarp_where_there_is_no_address() -> None:
    made = announcement(frames.mac(MAC), b"", router=False)
    payload = frames.arp(3, MAC, "0.0.0.0", MAC, "0.0.0.0")
    assert made == frames.ethernet(frames.BROADCAST, MAC, frames.RARP, payload)


def test_unsolicited_neighbour_advertisement() -> None:
    for router, flags in ((True, 0xA0), (False, 0x20)):
        made = announcement(frames.mac(MAC), frames.ip("2001:db8::7"), router=router)
        frame = frames.parse(made)
        assert (frame.dst, frame.src) == ("33:33:00:00:00:01", MAC)
        assert made[14 + 7] == 255, "no router has forwarded it"
        body = made[14 + 40 :]
        assert body[0] == frames.NA
        assert body[4] == flags, "it overrides what is known, and was not asked for"
        assert body[8:24] == frames.ip("2001:db8::7")
        assert body[24:32] == bytes([2, 1]) + frames.mac(MAC)
        assert made[14 + 8 : 14 + 40] == frames.ip("2001:db8::7") + frames.ip("ff02::1")
