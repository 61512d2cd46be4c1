"""OpenFlow 1.5 as Open vSwitch speaks it: exactly the messages that the agent uses.

``oxm`` and ``actions`` turn fields and actions into bytes, ``messages`` frames them, and
``connection`` carries them over the bridge's management socket. Everything but ``connection``
is pure: values in, bytes out, and back.
"""
