"""Announcements: provider networks are told where addresses are, when that has changed.

Addresses of gateways move with the chassis in charge. What has such addresses states them as
rows, and the agent of the chassis where they are tells the network. Nothing of this is a flow.
"""
