"""Intent in SQL: models, services, the revision log and address management.

=================  ==========================================================
``models/``        the tables; a *tracked* row's changes are logged as images
``specs/``         what a user may say about each kind of object, and what the kind declares
``services/``      the use cases: specs in, rows and views out
``transaction``    the unit of work: reads, writes, and the revision it becomes
``database``       opening it; readers, writers, listeners to commits
``schema``         its migrations, and whether they fit this program
``documents``      the declarative document, and ``apply`` which realises it
``loading``        rows in bulk and changes since a revision, for followers
``addresses``      address texts, read strictly and written canonically
``ipam``           who holds which address on a switch; dynamic addresses
``tunnel_keys``    keys of datapaths and ports; ``allocation`` has the pools
``paging``         lists in pages, continued by cursors
``tokens``         bearer tokens of the API and of agents
``errors``         everything that can go wrong, in one hierarchy
=================  ==========================================================

What is deliberately absent: anything that knows about flows, chassis or HTTP.
"""
