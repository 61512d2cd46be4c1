"""Which ports may have the address of which virtual port."""

from collections.abc import Iterator

from incremental import Read
from translator.inputs import LogicalSwitchPort


def workload_ports_named(lsp: str, port: LogicalSwitchPort) -> Iterator[tuple[str, str]]:
    """Qualified name -> the port of a workload that has it."""
    if port.kind.is_workload:
        yield port.qualified or port.name, lsp


def parents_of(read: Read, port: LogicalSwitchPort) -> tuple[LogicalSwitchPort, ...]:
    """Return the ports that may have the address of a virtual port, those on its switch."""
    if not port.virtual_parents:
        return ()
    found = (
        read(LogicalSwitchPort, lsp)
        for name in port.virtual_parents
        for lsp in read.members(workload_ports_named, name)
    )
    return tuple(each for each in found if each is not None and each.switch == port.switch)
