"""Templates of flows, compiled when they arrive."""

from collections.abc import Iterator, Mapping

from chassis_agent.compile import CompiledTemplate, compile_template
from incremental import Read
from southbound.rows import Template


def compiled_template(read: Read, key: int) -> CompiledTemplate | None:
    row = read(Template, key)
    return None if row is None else compile_template(row)


class CompiledTemplates(Mapping[int, CompiledTemplate]):
    """The compiled templates by id, each look-up a recorded read."""

    __slots__ = ("_read",)

    def __init__(self, read: Read) -> None:
        self._read = read

    def __getitem__(self, key: int) -> CompiledTemplate:
        template = self._read(compiled_template, key)
        if template is None:
            raise KeyError(key)
        return template

    def __iter__(self) -> Iterator[int]:
        raise TypeError("which templates there are is no recorded read")

    def __len__(self) -> int:
        raise TypeError("how many templates there are is no recorded read")
