"""The CNI plugin: networks of containers from Treadle's logical switches.

A container runtime runs it for each interface of each container, with what to do in its
environment, the configuration on its standard input, and expects a result or an error as JSON on
its standard output (the Container Network Interface specification, versions 0.3.0 to 1.1.0).

`main` is the program, `environment` and `configuration` read what it is given, `attachment` names
what one interface has everywhere, `ports` is its port in Treadle, `modes` its interface on the
host, and `add`, `delete`, `check`, `collect` and `status` are the verbs. `result` is what
runtimes are told. `lock` has one call wait for the other, `interruptions` breaks off.

No state is kept: names and ids follow from what the runtime says, so that what was made can be
found again by anyone who is told the same.
"""
