"""Switching: to which port a frame goes, by its Ethernet destination or by what was learned."""
