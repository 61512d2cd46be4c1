"""The features of the network, one folder each.

A feature has the stages and templates that it adds to pipelines, with the reasons for which its
flows end packets, and the derivations that fill them. Its package's docstring is its section of
``docs/pipeline.md``. In which order stages stand is in :mod:`translator.pipeline`, which
derivations run over what in :mod:`translator.graph`, and what an object gets of several features
in :mod:`translator.derivations`.
"""
