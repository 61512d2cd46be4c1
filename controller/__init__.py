"""What the rest of the server asks of the part that translates and serves agents.

The *controller* holds realised state, the sessions of the agents and the translation's
engine, all in one event loop. The API and diagnosis know it by :class:`~.interface.Controller`
alone: questions with plain data in and out, which could as well come from another process.
:mod:`~.local` answers them in this one; :mod:`~.answers` has the data, :mod:`~.views` collects
what a packet can meet, and what it would meet with a change.
"""
