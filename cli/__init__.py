"""The command line: ``treadle server``, ``agent``, ``apply``, ``show``, ``lflow``, ….

Each module holds one group of commands and exports it as ``app``;
:mod:`cli.main` joins them. A command imports what it needs inside its function,
so that ``treadle --help`` and shell completion never load a web framework.
"""
