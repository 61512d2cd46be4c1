"""How the Neutron API finds out who asks.

=============  ==============================================================================
``none``       everyone is an admin: for servers that only their own host can reach
``token``      Treadle's own API tokens, in ``X-Auth-Token``
``basic``      user name and password, in ``Authorization: Basic``; users are in a file
``identity``   tokens that the server itself issues under ``/identity/v3``, as Keystone does,
               to the users of that file
``keystone``   tokens of a real Keystone, which OpenStack's keystonemiddleware checks
=============  ==============================================================================

Whichever it is ends in a :class:`~api.neutron.context.Context`. A refusal is answered later the
more of them have come from one address, as in :mod:`api.auth`.
"""
