"""List and watch: rows from the server to chassis agents, facts back.

:mod:`.server` serves, :mod:`.client` is the agent's end and knows no database.
"""
