"""Frames that no honest guest sends, and what must not become of them.

``generator`` makes them from a seed, ``judge`` says which received frame should not have
passed, and ``test_frames`` sends them through real switches: a sample in continuous
integration, more with ``./run test tests/hostile --frames 100000``.
"""
