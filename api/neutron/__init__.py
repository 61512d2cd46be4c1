"""The Neutron API, version 2.0: the networks of OpenStack's clients, made of Treadle's intent.

A network is a logical switch, a port a logical switch port, a router a logical router, a
security group a port group with ACLs, an address group an address set. They have the same ids,
and what one API makes the other shows: each request is one transaction on the tables that
``/v1`` writes. What only Neutron knows is kept beside (:mod:`northbound.models.neutron`).

A resource is one class (:mod:`api.neutron.resource`): its attributes, how it is selected and
viewed, how it is created, changed and deleted. Paths, filters, fields, sorting, pages, tags,
revisions, visibility and admin-only attributes follow from that.
"""
