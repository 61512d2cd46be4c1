"""Looking into the switch, for those who ask the agent: nothing here changes anything.

:mod:`.detrace` leads from a flow back to the object that it is there for, :mod:`.behind`
tells which logical flow it comes from where there are several to choose from,
:mod:`.compare` tells where the switch's flows differ from those that are wanted,
:mod:`.packet_text` writes a packet for ``ofproto/trace`` and :mod:`.trace_output` reads what
that prints. :mod:`.inspector` answers questions with all of them.
"""
