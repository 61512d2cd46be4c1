"""Bidirectional Forwarding Detection (RFC 5880) on next hops of routers.

`packet`      control packets as bytes and as values
`machine`     one end of a session: states and timers; pure
`runner`      the sessions of this chassis
"""
