"""Whether this host's tunnels lead where they should.

Every few seconds the agent sends a probe to each chassis that it has a tunnel in use to,
and takes note of whether, and by whom, it is answered. Only what is wrong, or not known
yet, is told to the server. How probes look in the switch is in
:mod:`chassis_agent.physical.probes`.

====================  =============================================================
:mod:`~.remote_ports`  which chassis have ports that packets from here may go to
:mod:`~.frames`        a probe as bytes
:mod:`~.peers`         what is known of each tunnel, and when to probe it next
:mod:`~.sizes`         how big the frames are that each tunnel carries
:mod:`~.senders`       how big those are that come from this host
:mod:`~.prober`        sends probes, takes answers, tells what changed
:mod:`~.own_addresses` whether this host has the addresses that it announces
====================  =============================================================
"""
