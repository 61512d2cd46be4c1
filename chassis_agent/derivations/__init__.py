"""What the switch should hold, derived from rows and facts of this host. Pure.

Each derivation takes `(read, key)` and gives flows or a fact that flows are made
from; :mod:`chassis_agent.graph` says in which order they run.

`placement`  where each logical port is
`templates`  flow templates, compiled
`stages`     which stages of a datapath are visited
`logical`    flows of flow groups
`ports`      flows of ports, multicast groups, tunnels and what was learned
"""
